//! What makes two questions the same.

use evalgauge::call::{
    AnswerSchema, Call, Content, Embedding, Headers, Message, Part, Request, Role, Tool, ToolCall, ToolChoice,
};
use evalgauge::provider::Provider;
use evalgauge::provider::cache::{CacheMode, Identity, export};
use proptest::prelude::*;
use serde_json::{Map, Value, json};
use tempfile::tempdir;

use crate::stub::{Stub, identity, open, question, say};

fn request() -> Request {
    let Call::Chat(request) = question(1) else { unreachable!() };
    Request {
        tools: vec![Tool {
            name: "page".to_owned(),
            description: Some("Pages a team.".to_owned()),
            parameters: json!({"type": "object", "properties": {"why": {}, "team": {}}}),
        }],
        tool_choice: Some(ToolChoice::Auto),
        schema: Some(AnswerSchema {
            name: "triage".to_owned(),
            schema: json!({"properties": {"reasoning": {}, "label": {}}}),
        }),
        ..*request
    }
}

/// A change that makes another question.
type Change = fn(&mut Request);

/// One for every field, also those deep inside.
const CHANGES: &[(&str, Change)] = &[
    ("model", |r| r.model.push('x')),
    ("repeat", |r| r.repeat += 1),
    ("a turn more", |r| r.messages.push(Message::text(Role::User, "and?"))),
    ("a turn less", |r| drop(r.messages.pop())),
    ("order of turns", |r| r.messages.reverse()),
    ("role", |r| r.messages[1].role = Role::Assistant),
    ("content", |r| r.messages[1].content = Content::Text("other".to_owned())),
    ("content in parts", |r| {
        let text = r.messages[1].content.to_text();
        r.messages[1].content = Content::Parts(vec![Part::Text { text }]);
    }),
    ("image", |r| r.messages[1].content = Content::Parts(vec![Part::Image { url: "data:,".to_owned() }])),
    ("tool call", |r| {
        r.messages[1].tool_calls.push(ToolCall {
            id: "1".into(),
            name: "page".into(),
            arguments: json!({}),
            signature: None,
        });
    }),
    ("tool call id", |r| r.messages[1].tool_call_id = Some("1".to_owned())),
    ("no tools", |r| r.tools.clear()),
    ("tool name", |r| r.tools[0].name.push('x')),
    ("tool description", |r| r.tools[0].description = None),
    ("tool parameters", |r| r.tools[0].parameters = json!({})),
    ("tool choice", |r| r.tool_choice = Some(ToolChoice::Required)),
    ("no tool choice", |r| r.tool_choice = None),
    ("schema", |r| r.schema.as_mut().unwrap().schema = json!({"properties": {"label": {}}})),
    ("order in the schema", |r| {
        r.schema.as_mut().unwrap().schema = json!({"properties": {"label": {}, "reasoning": {}}});
    }),
    ("schema name", |r| r.schema.as_mut().unwrap().name.push('x')),
    ("no schema", |r| r.schema = None),
    ("temperature", |r| r.params.temperature = Some(0.1)),
    ("no temperature", |r| r.params.temperature = None),
    ("top_p", |r| r.params.top_p = Some(0.9)),
    ("max_tokens", |r| r.params.max_tokens = Some(49)),
    ("stop", |r| r.params.stop.push("\n".to_owned())),
    ("seed", |r| r.params.seed = Some(7)),
    ("logprobs", |r| r.params.logprobs = Some(0)),
    ("effort", |r| r.params.reasoning_effort = Some("low".to_owned())),
    ("extra", |r| drop(r.params.extra.insert("top_k".to_owned(), json!(40)))),
    ("extra that is a text", |r| drop(r.params.extra.insert("top_k".to_owned(), json!("40")))),
];

/// A request as it is sent; two documents are equal to Rust also when their fields are in another order.
fn written(request: &Request) -> String {
    serde_json::to_string(request).unwrap()
}

#[test]
fn every_field_is_part_of_the_question_and_no_two_changes_meet() {
    let mut keys = vec![("as it is", identity().key(&Call::Chat(Box::new(request()))))];
    for (what, change) in CHANGES {
        let mut changed = request();
        change(&mut changed);
        assert_ne!(written(&changed), written(&request()), "{what} changes nothing");
        keys.push((what, identity().key(&Call::Chat(Box::new(changed)))));
    }
    let base = Call::Chat(Box::new(request()));
    keys.extend([
        ("kind", Identity::new("anthropic", "http://127.0.0.1:8080/v1").key(&base)),
        ("address", Identity::new("openai", "http://127.0.0.1:8081/v1").key(&base)),
        ("path", Identity::new("openai", "http://127.0.0.1:8080/v2").key(&base)),
        ("extra", identity().with("api_version", "2").key(&base)),
        ("other extra", identity().with("api_version", "3").key(&base)),
        ("header", identity().with_headers(&Headers::from([("x-tier".into(), "2".into())])).key(&base)),
    ]);
    let embed = |text: &str, dimensions| {
        Call::Embed(Embedding { provider: "p".into(), model: "m".into(), text: text.to_owned(), dimensions })
    };
    keys.extend([
        ("embedding", identity().key(&embed("a", None))),
        ("another text", identity().key(&embed("b", None))),
        ("dimensions", identity().key(&embed("a", Some(3)))),
    ]);
    for (at, (what, key)) in keys.iter().enumerate() {
        for (other, same) in &keys[..at] {
            assert_ne!(key, same, "{what} and {other} have one key");
        }
    }
    say(&format!("{} questions, {} keys", keys.len(), keys.len()));
}

#[test]
fn the_key_of_a_question_stays_the_same_from_version_to_version() {
    // Whoever has to change these lines makes every cache worthless: raise the key's format, and say so in the changes.
    assert_eq!(
        identity().key(&question(1)).to_string(),
        "cdb0389d28150c69a5eff6356e405d95086dda8047e3db7c773ec5eaa8be1920"
    );
    assert_eq!(
        identity().with("api_version", "2").key(&Call::Chat(Box::new(request()))).to_string(),
        "0e08a34a8bbb119bb4f0082afeea57f3fd968a1bd994b9fd12834688e7b5bcd3"
    );
}

#[test]
fn what_says_who_asks_is_not_part_of_the_question() {
    let key = identity().key(&question(1));
    let mut renamed = question(1);
    if let Call::Chat(request) = &mut renamed {
        request.provider = "another name".to_owned();
    }
    assert_eq!(identity().key(&renamed), key);
    for url in [
        "http://127.0.0.1:8080/v1/",
        "http://user:password@127.0.0.1:8080/v1",
        "http://127.0.0.1:8080/v1?key=secret",
        "http://127.0.0.1:8080/v1#part",
        "HTTP://127.0.0.1:8080/v1",
    ] {
        assert_eq!(Identity::new("openai", url).key(&question(1)), key, "{url}");
    }
    let case = |name: &str| identity().with_headers(&Headers::from([(name.to_owned(), "2".to_owned())]));
    assert_eq!(case("X-Tier").key(&question(1)), case("x-tier").key(&question(1)));
}

/// In every place where a careless config could put one.
const SECRET: &str = "sk-marked-0123456789";

#[tokio::test]
async fn no_key_reaches_the_store() {
    let names = ["Authorization", "x-api-key", "api-key", "X-Goog-Api-Key", "Proxy-Authorization", "cookie"];
    let headers: Headers = names.map(|name| (name.to_owned(), format!("Bearer {SECRET}"))).into();
    let url = format!("https://user:{SECRET}@127.0.0.1/v1?key={SECRET}#{SECRET}");
    let identity = Identity::new("openai", &url).with_headers(&headers);
    assert!(!format!("{identity:?}").contains(SECRET));
    let not_an_address = format!("127.0.0.1/v1?key={SECRET}");
    assert!(!format!("{:?}", Identity::new("openai", &not_an_address)).contains(SECRET));
    let no_host = format!("odd scheme://user:{SECRET}@there/v1?key={SECRET}");
    assert!(!format!("{:?}", Identity::new("openai", &no_host)).contains(SECRET));
    assert_eq!(identity.key(&question(1)), Identity::new("openai", "https://127.0.0.1/v1").key(&question(1)));

    let folder = tempdir().unwrap();
    let path = folder.path().join("answers.sqlite");
    let store = open(&path);
    let stub = Stub::counting();
    let cached = evalgauge::provider::cache::Cached::new(Box::new(stub), identity, store.clone(), CacheMode::ReadWrite);
    cached.ask(&question(1)).await.unwrap();
    let exported = folder.path().join("export.jsonl.zst");
    export(&path, &exported).unwrap();
    let text = zstd::decode_all(std::fs::File::open(&exported).unwrap()).unwrap();
    std::fs::write(folder.path().join("export.jsonl"), text).unwrap();
    let mut looked_at = 0;
    for file in std::fs::read_dir(folder.path()).unwrap() {
        let bytes = std::fs::read(file.unwrap().path()).unwrap();
        assert!(!bytes.windows(SECRET.len()).any(|window| window == SECRET.as_bytes()));
        looked_at += bytes.len();
    }
    say(&format!("no key in {looked_at} bytes"));
    assert!(looked_at > 4096);
}

/// The same JSON with every object's fields the other way round.
fn reversed(value: &Value) -> Value {
    match value {
        Value::Object(fields) => {
            Value::Object(fields.iter().rev().map(|(name, value)| (name.clone(), reversed(value))).collect())
        }
        Value::Array(items) => Value::Array(items.iter().map(reversed).collect()),
        other => other.clone(),
    }
}

prop_compose! {
    fn any_request()(
        model in ".{0,12}",
        turns in prop::collection::vec(("[a-z\"\\\\ \u{e4}\u{1f600}]{0,20}", 0..4_usize), 1..4),
        temperature in prop::option::of(0.0..2.0_f64),
        max_tokens in prop::option::of(any::<u64>()),
        seed in prop::option::of(any::<i64>()),
        stop in prop::collection::vec(".{0,4}", 0..3),
        extra in prop::collection::btree_map("[a-z]{1,4}", any::<i32>(), 0..4),
        repeat in 0..3_u32,
    ) -> Request {
        let roles = [Role::System, Role::User, Role::Assistant, Role::Tool];
        let mut request = Request { tools: Vec::new(), tool_choice: None, schema: None, ..request() };
        request.model = model;
        request.messages = turns.into_iter().map(|(text, role)| Message::text(roles[role], text)).collect();
        request.params.temperature = temperature;
        request.params.max_tokens = max_tokens;
        request.params.seed = seed;
        request.params.stop = stop;
        request.params.extra = extra.into_iter().map(|(name, value)| (name, json!(value))).collect();
        request.repeat = repeat;
        request
    }
}

proptest! {
    #[test]
    fn the_order_of_fields_and_the_providers_name_do_not_matter(request in any_request(), name in ".{0,10}") {
        let key = identity().key(&Call::Chat(Box::new(request.clone())));
        let mut turned: Request = serde_json::from_value(reversed(&serde_json::to_value(&request).unwrap())).unwrap();
        let extra: Map<String, Value> = request.params.extra.clone().into_iter().rev().collect();
        turned.params.extra = extra;
        turned.provider = name;
        prop_assert_eq!(identity().key(&Call::Chat(Box::new(turned))), key);
    }

    #[test]
    fn two_requests_have_one_key_only_when_they_are_one(a in any_request(), b in any_request()) {
        let same = identity().key(&Call::Chat(Box::new(a.clone()))) == identity().key(&Call::Chat(Box::new(b.clone())));
        prop_assert_eq!(same, a == b);
    }

    #[test]
    fn every_change_makes_another_key(mut request in any_request(), change in 0..CHANGES.len()) {
        request.messages.push(Message::text(Role::System, "last"));
        request.messages.push(Message::text(Role::User, "very last"));
        request.tools = self::request().tools;
        request.schema = self::request().schema;
        let before = request.clone();
        (CHANGES[change].1)(&mut request);
        let same = identity().key(&Call::Chat(Box::new(before.clone()))) == identity().key(&Call::Chat(Box::new(request.clone())));
        prop_assert_eq!(same, written(&before) == written(&request), "{}", CHANGES[change].0);
    }
}
