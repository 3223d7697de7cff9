//! Who may use the page, what it shows, and what is refused.

use serde_json::{Value, json};

use crate::desk::{Desk, GRADE, PAIRWISE, RUBRIC, SECRET, files, items, lines};

/// Everything that the page is sent, as one text.
fn all(served: &crate::desk::Served) -> String {
    let mut text = served.get("api/sheet").to_string();
    for key in served.keys() {
        text.push_str(&served.get(&format!("api/item/{key}")).to_string());
    }
    text
}

#[test]
fn nobody_gets_in_without_the_secret_or_from_elsewhere() {
    let desk = Desk::new(RUBRIC, &items(3));
    let served = desk.serve("r1");
    let own = format!("/{}/", served.token);
    assert_eq!(served.token.len(), 32);
    let page = served.request("GET", &own, &[], "").unwrap();
    assert_eq!(page.status, 200);
    let api = format!("{own}api/sheet");
    let port = served.port;
    let other = format!("/{}/api/sheet", "0".repeat(32));
    let rows: [(u16, &str, &str, &[&str]); 14] = [
        (403, "GET", "/", &[]),
        (403, "GET", "/api/sheet", &[]),
        (403, "GET", &other, &[]),
        (403, "GET", "/open/0123", &[]),
        (421, "GET", &api, &["Host: evil.example"]),
        (421, "GET", &api, &[&format!("Host: evil.example:{port}")]),
        (421, "GET", &api, &["Host: 127.0.0.1:1"]),
        (421, "GET", &own, &[&format!("Host: 127.0.0.1.evil.example:{port}")]),
        (403, "GET", &api, &["Origin: http://evil.example"]),
        (403, "GET", &api, &["Origin: null"]),
        (403, "GET", &api, &["Sec-Fetch-Site: cross-site"]),
        (403, "GET", &api, &["Sec-Fetch-Site: same-site", "Sec-Fetch-Mode: cors"]),
        (200, "GET", &api, &[&format!("Host: localhost:{port}")]),
        (200, "GET", &api, &[&format!("Origin: http://127.0.0.1:{port}"), "Sec-Fetch-Site: same-origin"]),
    ];
    for (status, method, path, headers) in rows {
        let reply = served.request(method, path, headers, "").unwrap();
        assert_eq!(reply.status, status, "{path} {headers:?}: {}", reply.body);
        if status != 200 {
            assert!(!reply.body.contains("disk of"), "{}", reply.body);
        }
    }
    // Nor may they write.
    let key = &served.keys()[0];
    let body = json!({"item": key, "dimension": 0, "level": 1}).to_string();
    let label = format!("{own}api/label");
    let json = "Content-Type: application/json";
    for (status, path, headers) in [
        (403, "/api/label", &[json][..]),
        (403, &label, &[json, "Origin: http://evil.example"]),
        (421, &label, &[json, "Host: evil.example"]),
        (403, &label, &[json, "Sec-Fetch-Site: cross-site", "Sec-Fetch-Mode: navigate"]),
        (415, &label, &["Content-Type: text/plain"]),
        (415, &label, &[]),
    ] {
        assert_eq!(served.request("POST", path, headers, &body).unwrap().status, status, "{path} {headers:?}");
    }
    assert!(!desk.path("judges/j/labels").exists(), "nothing was written");
}

#[test]
fn the_page_may_reach_nothing_but_its_server() {
    let desk = Desk::new(RUBRIC, &items(2));
    let served = desk.serve("r1");
    let page = served.request("GET", &format!("/{}/", served.token), &[], "").unwrap();
    for header in [
        "Content-Security-Policy: default-src 'none'; script-src 'nonce-",
        "connect-src 'self'",
        "frame-ancestors 'none'",
        "require-trusted-types-for 'script'",
        "Referrer-Policy: no-referrer",
        "X-Content-Type-Options: nosniff",
        "Cache-Control: no-store",
    ] {
        assert!(page.head.contains(header), "{header}\n{}", page.head);
    }
    assert!(!page.head.contains("unsafe"), "{}", page.head);
    for address in ["http:", "https:", "//"] {
        let outside: Vec<&str> = page.body.lines().filter(|line| line.contains(&format!("=\"{address}"))).collect();
        assert!(outside.is_empty(), "{outside:?}");
    }
    // The nonce is another one each time.
    let again = served.request("GET", &format!("/{}/", served.token), &[], "").unwrap();
    assert_ne!(page.body, again.body);
    // Every refusal has a policy too.
    assert!(served.request("GET", "/", &[], "").unwrap().head.contains("default-src 'none'"));
}

#[test]
fn a_rater_is_blind() {
    let desk = Desk::new(RUBRIC, &items(12));
    let (first, second) = (desk.serve("r1"), desk.serve("r2"));
    assert_ne!(first.token, second.token);
    for (rater, served, level) in [("r1", &first, 1), ("r2", &second, 3)] {
        for key in served.keys() {
            let note = format!("{rater} thinks so");
            let reply = served.grade(&json!({"item": key, "dimension": 0, "level": level, "note": note})).unwrap();
            assert_eq!((reply.status, reply.body.as_str()), (200, "{\"saved\":true}"));
        }
    }
    let (one, two) = (all(&first), all(&second));
    assert!(one.contains("r1 thinks so") && two.contains("r2 thinks so"));
    assert!(!one.contains("r2") && !two.contains("r1"), "each sees only their own");
    for text in [&one, &two] {
        assert!(!text.contains(SECRET), "{text}");
    }
    // The secret of one page is none for the other.
    let reply = first.request("GET", &format!("/{}/api/sheet", second.token), &[], "").unwrap();
    assert_eq!(reply.status, 403);
    assert_ne!(first.keys(), second.keys());
    // Both have graded the same items, each in an order of their own.
    let ids = |rater: &str| -> Vec<String> {
        desk.labels(rater).iter().map(|label| label["id"].as_str().unwrap().to_owned()).collect()
    };
    let (mut a, mut b) = (ids("r1"), ids("r2"));
    let file: Vec<String> = (0..12).map(|at| format!("{SECRET}id-{at:03}#1")).collect();
    assert!(a != file && b != file && a != b, "{a:?}\n{b:?}");
    a.sort();
    b.sort();
    assert_eq!((&a, &b), (&file, &file));
    assert_eq!(
        desk.labels("r2")[0],
        json!({"id": desk.labels("r2")[0]["id"], "rater": "r2", "kind": "human", "dimension": "evidence",
               "label": 3, "rationale": "r2 thinks so"})
    );
}

#[test]
fn a_grade_is_changed_taken_back_and_there_after_a_restart() {
    let desk = Desk::new(RUBRIC, &items(4));
    let mut served = desk.serve_with(&["j", "--rater", "r1", "--kind", "stand-in", "--seed", "3"]);
    let keys = served.keys();
    let sheet = served.get("api/sheet");
    assert_eq!(sheet["kind"], "stand-in");
    let levels = &sheet["dimensions"][0]["levels"];
    assert_eq!(levels[3]["text"], "3");
    assert_eq!(levels[3]["key"], "3");
    assert!(levels[3]["means"].as_str().unwrap().starts_with("every claim"), "{levels}");
    for (dimension, level, note) in
        [(0, json!(2), "so"), (1, json!(0), ""), (0, json!(3), "no, so"), (1, json!(null), "")]
    {
        let grading = json!({"item": keys[2], "dimension": dimension, "level": level, "note": note});
        assert_eq!(served.grade(&grading).unwrap().status, 200);
    }
    let labels = desk.labels("r1");
    assert_eq!(labels.len(), 1, "one line for an item and a dimension: {labels:?}");
    assert_eq!((&labels[0]["label"], &labels[0]["rationale"]), (&json!(3), &json!("no, so")));
    assert_eq!(labels[0]["kind"], "stand-in");
    served.kill();
    // The port and the secret are those of the last start, so that an open page goes on.
    let again = desk.serve_with(&["j", "--rater", "r1", "--kind", "stand-in", "--seed", "3"]);
    assert_eq!((&again.url, again.keys()), (&served.url, keys.clone()));
    assert_eq!(again.get("api/sheet")["labels"], json!({&keys[2]: {"0": {"level": 3, "note": "no, so"}}}));
    // While it is taken, another one is used.
    let third = desk.serve_with(&["j", "--rater", "r1", "--kind", "stand-in"]);
    assert_ne!(third.port, again.port);
    assert_eq!(again.interrupt(), Some(0), "Ctrl-C is a good end");
    assert_eq!(files(&desk.path("judges/j/labels")), ["r1.jsonl"]);
}

#[test]
fn of_two_answers_the_sides_are_exchanged_and_mapped_back() {
    let pair = |at: u8| json!({"id": at.to_string(), "input": "q", "answer": format!("own {at}"), "other": format!("other {at}")});
    let desk = Desk::new(PAIRWISE, &lines((0..40).map(pair)));
    let served = desk.serve("r1");
    assert_eq!(served.get("api/sheet")["pairwise"], true);
    let mut exchanged = 0;
    for (at, key) in served.keys().iter().enumerate() {
        let answers = served.get(&format!("api/item/{key}"))["answers"].clone();
        let own = answers.as_array().unwrap().iter().position(|answer| answer.as_str().unwrap().starts_with("own"));
        let own = own.unwrap();
        exchanged += own;
        // The rater likes the item's own answer, wherever it stands; a few times neither.
        let level = if at % 10 == 0 { 2 } else { own };
        assert_eq!(served.grade(&json!({"item": key, "dimension": 0, "level": level})).unwrap().status, 200);
        let shown = served.get("api/sheet")["labels"][key]["0"]["level"].clone();
        assert_eq!(shown, level, "it is shown as it was given");
        let label = desk.labels("r1").pop().unwrap();
        assert_eq!(label["label"], if at % 10 == 0 { "tie" } else { "A" });
        assert_eq!(label["first"], if own == 0 { "A" } else { "B" });
        assert_eq!(label["dimension"], "overall");
    }
    assert!((5..35).contains(&exchanged), "{exchanged} of 40 have the other answer first");
}

#[test]
fn a_sheet_without_a_judge_is_graded_on_a_scale_that_is_typed() {
    let desk = Desk::new(GRADE, &items(1));
    desk.write("sheet.jsonl", &items(3));
    let served =
        desk.serve_with(&["--sheet", "sheet.jsonl", "--scale", "fail,pass", "--rater", "r1", "-o", "out/x.jsonl"]);
    let key = &served.keys()[0];
    assert_eq!(served.grade(&json!({"item": key, "dimension": 0, "level": 1})).unwrap().status, 200);
    let label: Value = serde_json::from_str(&desk.read("out/x.jsonl")).unwrap();
    assert_eq!((&label["label"], &label["dimension"]), (&json!("pass"), &json!("overall")));
    let served = desk.serve_with(&[
        "--sheet",
        "sheet.jsonl",
        "--scale",
        "0,0.5,1",
        "--dimension",
        "a",
        "--dimension",
        "b",
        "--rater",
        "r1",
    ]);
    let key = &served.keys()[0];
    assert_eq!(served.grade(&json!({"item": key, "dimension": 1, "level": 1})).unwrap().status, 200);
    let label: Value = serde_json::from_str(&desk.read("sheet.r1.jsonl")).unwrap();
    assert_eq!((&label["label"], &label["dimension"]), (&json!(0.5), &json!("b")));
}

#[test]
fn what_is_no_grade_is_refused_and_changes_nothing() {
    let desk = Desk::new(GRADE, &items(2));
    let served = desk.serve("r1");
    let key = served.keys()[0].clone();
    assert_eq!(served.grade(&json!({"item": key, "dimension": 0, "level": 1})).unwrap().status, 200);
    let before = desk.read("judges/j/labels/r1.jsonl");
    for (status, grading) in [
        (409, json!({"item": "0", "dimension": 0, "level": 0})),
        (409, json!({"item": key, "dimension": 1, "level": 0})),
        (409, json!({"item": key, "dimension": 0, "level": 2})),
        (400, json!({"item": key, "dimension": 0, "level": "pass"})),
        (400, json!({"item": key, "dimension": -1, "level": 0})),
        (400, json!({"item": key, "level": 0})),
        (400, json!({"item": key, "dimension": 0, "level": 0, "rater": "r2"})),
        (400, json!([])),
        (413, json!({"item": key, "dimension": 0, "level": 0, "note": "x".repeat(70_000)})),
        (413, json!({"item": key, "dimension": 0, "level": 0, "note": "x".repeat(700_000)})),
    ] {
        let reply = served.grade(&grading).unwrap_or_else(|| panic!("no answer to {}", &grading.to_string()[..60]));
        assert_eq!(reply.status, status, "{}", reply.body);
    }
    let host = format!("Host: 127.0.0.1:{}", served.port);
    let path = format!("/{}/api/label", served.token);
    for (status, text) in [
        (400, "nonsense\r\n\r\n".to_owned()),
        (400, format!("POST {path} HTTP/1.1\r\n{host}\r\n{host}\r\n\r\n")),
        (421, format!("GET {path} HTTP/1.1\r\n\r\n")),
        (411, format!("POST {path} HTTP/1.1\r\n{host}\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n")),
        (400, format!("POST {path} HTTP/1.1\r\n{host}\r\nContent-Length: 5\r\nContent-Length: 6\r\n\r\nabcdef")),
        (400, format!("POST {path} HTTP/1.1\r\n{host}\r\nContent-Length: -1\r\n\r\n")),
        (413, format!("POST {path} HTTP/1.1\r\n{host}\r\nContent-Length: 99999999999999999999999\r\n\r\n")),
        (431, format!("GET {path} HTTP/1.1\r\n{host}\r\nX: {}\r\n\r\n", "x".repeat(40_000))),
        (405, format!("DELETE {path} HTTP/1.1\r\n{host}\r\n\r\n")),
        (404, format!("GET /{}/../../etc/passwd HTTP/1.1\r\n{host}\r\n\r\n", served.token)),
    ] {
        let reply = served.send(text.as_bytes()).unwrap_or_else(|| panic!("no answer to {:?}", &text[..20]));
        assert_eq!(reply.status, status, "{:?}: {}", &text[..text.len().min(120)], reply.body);
    }
    assert_eq!(desk.read("judges/j/labels/r1.jsonl"), before);
    // A file that has become somebody else's is not written over, and the page is told.
    let foreign = before.replace("\"r1\"", "\"r9\"");
    desk.write("judges/j/labels/r1.jsonl", &foreign);
    let reply = served.grade(&json!({"item": key, "dimension": 0, "level": 0})).unwrap();
    assert_eq!(reply.status, 500);
    assert!(reply.body.contains("r1.jsonl:1: a label of `rater`"), "{}", reply.body);
    assert_eq!(desk.read("judges/j/labels/r1.jsonl"), foreign);
}

#[test]
fn what_cannot_be_served_is_said() {
    let desk = Desk::new(GRADE, &items(2));
    let pair = |text: &str| desk.write("judges/j/judge.toml", text);
    let (code, text) = desk.refused(&["k", "--rater", "r1"]);
    assert!(code == Some(2) && text.contains("no judge `k`") && text.contains("there: j"), "{text}");
    let (code, text) = desk.refused(&["../j", "--rater", "r1"]);
    assert!(code == Some(2) && text.contains("no name of a judge"), "{text}");
    let (code, text) = desk.refused(&["j", "--rater", "a/b"]);
    assert!(code == Some(2) && text.contains("no name for a rater"), "{text}");
    let (code, text) = desk.refused(&["j", "--rater", "r1", "-o", "x.jsonl"]);
    assert!(code == Some(2) && text.contains("-o names the labels of a --sheet"), "{text}");
    let (code, text) = desk.refused(&["--rater", "r1"]);
    assert!(code == Some(2) && text.contains("required"), "{text}");
    let (code, text) = desk.refused(&["--sheet", "judges/j/items.jsonl", "--rater", "r1"]);
    assert!(code == Some(2) && text.contains("--scale"), "{text}");
    desk.write(
        "judges/j/labels/r1.jsonl",
        r#"{"id":"a","rater":"r1","kind":"human","dimension":"overall","label":"pass"}"#,
    );
    let (code, text) = desk.refused(&["j", "--rater", "r1", "--kind", "stand-in"]);
    assert!(code == Some(2) && text.contains("r1.jsonl:1: a label of `kind`"), "{text}");
    desk.write("judges/j/labels/r2.jsonl", "{\"id\"");
    let (code, text) = desk.refused(&["j", "--rater", "r2"]);
    assert!(code == Some(2) && text.contains("r2.jsonl:1: "), "{text}");
    desk.write("judges/j/items.jsonl", &(items(1) + &items(1)));
    let (code, text) = desk.refused(&["j", "--rater", "r1"]);
    assert!(code == Some(2) && text.contains("items.jsonl:2: the id"), "{text}");
    desk.write("judges/j/items.jsonl", "{\"id\":\"a\",\"answer\":\"x\"}\n{\"id\":[],\"answer\":\"x\"}\n");
    let (code, text) = desk.refused(&["j", "--rater", "r1"]);
    assert!(code == Some(2) && text.contains("items.jsonl:2: no item"), "{text}");
    desk.write("judges/j/items.jsonl", "\n");
    let (code, text) = desk.refused(&["j", "--rater", "r1"]);
    assert!(code == Some(2) && text.contains("no items"), "{text}");
    desk.write("judges/j/items.jsonl", &items(2));
    pair(PAIRWISE);
    let (code, text) = desk.refused(&["j", "--rater", "r1"]);
    assert!(code == Some(2) && text.contains("no `other` answer"), "{text}");
    pair(GRADE);
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let port = taken.local_addr().unwrap().port().to_string();
    let (code, text) = desk.refused(&["j", "--rater", "r1", "--port", &port]);
    assert!(code == Some(2) && text.contains("cannot listen"), "{text}");
}
