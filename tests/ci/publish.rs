//! `publish` against a stand-in for GitHub's API.

use std::process::Command;

use crate::project::{PROGRAM, Project, Said, clean};
use crate::server::{Fault, Server, TOKEN};

const MARKER: &str = "<!-- evalgauge evalgauge.toml#rules -->";

/// A project whose check has failed.
fn failed() -> Project {
    let project = Project::new();
    project.worsen();
    let check = project.run(&["check"], &[]);
    assert_eq!(check.status.code(), Some(1));
    project
}

#[test]
fn a_comment_is_created_once_and_updated_after() {
    let (project, server) = (failed(), Server::start());
    let environment = project.workflow(&server);
    server.plant("some talk", "User", "MEMBER");
    project.publish(&environment, &[]).exit(0).stdout_has("comment created: https://github.example/acme/app/pull/7#");
    project.publish(&environment, &[]).exit(0).stdout_has("comment updated: https://github.example/acme/app/pull/7#");
    let bodies = server.bodies();
    assert_eq!(bodies.len(), 2, "{bodies:?}");
    assert!(bodies[1].starts_with(&format!("{MARKER}\n<!-- run 9001.1 -->\n## ❌ FAIL")), "{}", bodies[1]);
    assert!(bodies[1].contains("topic=shipping"), "{}", bodies[1]);
    assert!(bodies[1].contains("commit 0123456 · [workflow run](https://github.example/acme/app/actions/runs/9001)"));
    assert_eq!((server.count("POST"), server.count("PATCH"), server.count("DELETE")), (1, 1, 0));
    assert_eq!(server.state.lock().unwrap().unknown_tokens, 0);
    // Another gate of the repository has a comment of its own.
    project.publish(&environment, &["--name", "nightly"]).exit(0).stdout_has("comment created");
    assert_eq!(server.bodies().len(), 3);
}

#[test]
fn a_comment_is_found_behind_many_others() {
    let (project, server) = (failed(), Server::start());
    for number in 0..250 {
        server.plant(&format!("remark {number}"), "User", "NONE");
    }
    server.plant(&format!("{MARKER}\nold"), "Bot", "NONE");
    project.publish(&project.workflow(&server), &[]).exit(0).stdout_has("comment updated");
    assert_eq!((server.bodies().len(), server.count("GET")), (251, 3));
}

#[test]
fn a_planted_marker_is_no_comment_of_ours() {
    let (project, server) = (failed(), Server::start());
    let planted = format!("{MARKER}\n## ✅ PASS: all is well");
    server.plant(&planted, "User", "NONE");
    server.plant(&format!("> quoted\n{MARKER}\nby a member"), "User", "MEMBER");
    project.publish(&project.workflow(&server), &[]).exit(0).stdout_has("comment created");
    assert_eq!((server.bodies().len(), server.bodies()[0].clone()), (3, planted));
}

#[test]
fn an_earlier_run_does_not_replace_what_a_later_one_said() {
    let (project, server) = (failed(), Server::start());
    let body = format!("{MARKER}\n<!-- run 9002.1 -->\nlater");
    server.plant(&body, "Bot", "NONE");
    project.publish(&project.workflow(&server), &[]).exit(0).stdout_has("a later run wrote it");
    assert_eq!(server.bodies(), [body]);
}

#[test]
fn runs_at_the_same_time_leave_one_comment() {
    const RUNS: usize = 4;
    let project = failed();
    // All find none, and then all create one.
    let server = Server::with(RUNS, |_, _| None);
    let environment = project.workflow(&server);
    let started: Vec<_> = (0..RUNS)
        .map(|_| {
            let mut command = Command::new(PROGRAM);
            command.args(["publish", "latest", "--no-summary"]).current_dir(project.folder.path());
            clean(&mut command, project.folder.path());
            command.envs(environment.iter().map(|(name, value)| (*name, value.as_str())));
            std::thread::spawn(move || Said::of(&command.output().unwrap()))
        })
        .collect();
    for run in started {
        run.join().unwrap().exit(0);
    }
    assert_eq!(server.count("POST"), RUNS, "the runs did not meet");
    let bodies = server.bodies();
    assert!(bodies.len() == 1 && bodies[0].contains("FAIL"), "{bodies:?}");
}

#[test]
fn passing_faults_are_tried_again() {
    type Fate = fn() -> Fault;
    let fates: [(&str, Fate); 5] = [
        ("429", || Fault::of(429, "retry-after: 0\r\n")),
        ("503", || Fault::of(503, "retry-after: 0\r\n")),
        ("a limit that is a 403", || Fault::of(403, "retry-after: 0\r\nx-ratelimit-remaining: 0\r\n")),
        ("a reset", || Fault::of(0, "")),
        ("no JSON", || Fault { body: "<html>".to_owned(), ..Fault::of(200, "") }),
    ];
    for (what, fault) in fates {
        // The first look, and the first attempt to write.
        let server = Server::with(0, move |_, number| [1, 3].contains(&number).then(fault));
        let project = failed();
        project.publish(&project.workflow(&server), &[]).exit(0).stdout_has("comment created");
        assert_eq!(server.bodies().len(), 1, "{what}");
    }
}

#[test]
fn a_comment_that_was_made_although_the_answer_was_lost_is_not_made_twice() {
    let server = Server::with(0, |request, _| {
        (request.method == "POST").then(|| Fault { done: true, ..Fault::of(502, "retry-after: 0\r\n") })
    });
    let project = failed();
    project.publish(&project.workflow(&server), &[]).exit(0).stdout_has("comment updated");
    assert_eq!((server.bodies().len(), server.count("POST")), (1, 1));
}

#[test]
fn a_server_that_stays_broken_is_said_and_changes_no_verdict() {
    let server = Server::with(0, |_, _| Some(Fault::of(500, "retry-after: 0\r\n")));
    let project = failed();
    let environment = project.workflow(&server);
    project.publish(&environment, &[]).exit(6).stderr_has("GET /repos/acme/app/issues/7/comments").stderr_has("500");
    assert_eq!(server.count("GET"), 5);
    let environment: Vec<(&str, &str)> = environment.iter().map(|(name, value)| (*name, value.as_str())).collect();
    let check = Said::of(&project.run(&["check", "--publish"], &environment));
    check.exit(1).stderr_has("warning: not published").stdout_has("topic=shipping");
    // A server that asks for more patience than anybody has.
    let server = Server::with(0, |_, _| Some(Fault::of(429, "retry-after: 4000\r\n")));
    project.publish(&project.workflow(&server), &[]).exit(6).stderr_has("429");
    assert_eq!(server.count("GET"), 1);
}

#[test]
fn without_the_right_to_comment_the_report_is_in_the_summary() {
    let project = failed();
    let replaced = |environment: &[(&'static str, String)], name: &str, value: &str| {
        let mut environment = environment.to_vec();
        environment.retain(|(has, _)| *has != name);
        if !value.is_empty() {
            environment.push((
                ["GITHUB_TOKEN", "GITHUB_EVENT_PATH"].into_iter().find(|has| *has == name).unwrap(),
                value.to_owned(),
            ));
        }
        environment
    };
    let summary = || std::fs::read_to_string(project.path(".summary.md")).unwrap_or_default();
    let server = Server::start();
    let environment = project.workflow(&server);
    let fork = replaced(&environment, "GITHUB_TOKEN", "");
    project
        .publish(&fork, &[])
        .exit(0)
        .stdout_has("there is no GITHUB_TOKEN")
        .stdout_has("the report is in the step summary");
    assert_eq!(server.count("GET"), 0);
    assert!(summary().contains("## ❌ FAIL") && summary().contains("topic=shipping"), "{}", summary());

    let wrong = replaced(&environment, "GITHUB_TOKEN", "ghs_another");
    let said = project.publish(&wrong, &[]).exit(0).stdout_has("401").stdout_has("Bad credentials");
    assert!(!said.stdout.contains("ghs_another"));
    for status in [403, 404] {
        let server = Server::with(0, move |request, _| (request.method != "GET").then(|| Fault::of(status, "")));
        project
            .publish(&project.workflow(&server), &[])
            .exit(0)
            .stdout_has("no comment")
            .stdout_has(&status.to_string());
        assert_eq!(server.bodies().len(), 0);
    }
    // A push is no pull request.
    std::fs::write(project.path(".push.json"), r#"{"ref": "refs/heads/main"}"#).unwrap();
    let push = replaced(&environment, "GITHUB_EVENT_PATH", &project.path(".push.json").display().to_string());
    project.publish(&push, &[]).exit(0).stdout_has("this is no pull request");
    // Nowhere at all.
    project.publish(&[], &[]).exit(0).stdout_has("no comment");
}

#[test]
fn an_answer_that_repeats_the_token_does_not_show_it() {
    let body = format!("{{\"message\": \"bad token {TOKEN}\"}}");
    let server = Server::with(0, move |_, _| Some(Fault { body: body.clone(), ..Fault::of(422, "") }));
    let project = failed();
    project.publish(&project.workflow(&server), &[]).exit(6).stderr_has("bad token [token]");
}

#[test]
fn annotations_point_at_the_lines_of_the_examples_that_broke() {
    let (project, server) = (failed(), Server::start());
    let said = project.publish(&project.workflow(&server), &[]).exit(0).stdout_has("8 annotations");
    let data = std::fs::read_dir(project.path("evalsets/support")).unwrap().map(|entry| entry.unwrap().file_name());
    let data = data.map(|name| name.to_string_lossy().into_owned()).find(|name| name.starts_with("v1_")).unwrap();
    let errors: Vec<&str> = said.stderr.lines().filter(|line| line.starts_with("::")).collect();
    assert_eq!(errors.len(), 8, "{}", said.stderr);
    let text = project.read(&format!("evalsets/support/{data}"));
    for error in errors {
        let (_, rest) = error.split_once(&format!("::error file=evalsets/support/{data},line=")).unwrap();
        let (line, rest) = rest.split_once(',').unwrap();
        let id = rest.strip_prefix("title=").unwrap().split_once(' ').unwrap().0;
        let line = text.lines().nth(line.parse::<usize>().unwrap() - 1).unwrap();
        assert!(line.contains(&format!("\"id\":\"{id}\"")), "{id} is not on {line}");
        assert!(error.contains("accuracy: 1/1 → 0/1 passes%0Abefore: shipping%0Anow: account"), "{error}");
    }
    // A change that passes breaks nothing.
    let good = Project::new();
    good.run(&["check"], &[]);
    let said = good.publish(&good.workflow(&server), &[]).exit(0);
    assert!(!said.stderr.contains("::"), "{}", said.stderr);
}

#[test]
fn parts_can_be_left_out_and_a_dry_run_does_nothing() {
    let (project, server) = (failed(), Server::start());
    let environment = project.workflow(&server);
    let dry = project.publish(&environment, &["--dry-run"]).exit(0);
    let dry = dry.stdout_has("comment on acme/app#7").stdout_has(MARKER).stdout_has("## ❌ FAIL").stdout_has("line=9");
    assert!(dry.stdout.lines().all(|line| !line.trim_start().starts_with("::")), "a dry run must not annotate");
    let none = project.publish(&environment, &["--no-comment", "--no-summary", "--no-annotations"]).exit(0);
    assert!(none.stderr.is_empty(), "{}", none.stderr);
    assert_eq!(server.state.lock().unwrap().requests.len(), 0);
    assert!(!project.path(".summary.md").exists());
    let json = project.publish(&environment, &["--format", "json"]).exit(0);
    let json: serde_json::Value = serde_json::from_str(&json.stdout).unwrap();
    assert_eq!(
        (&json["comment"], &json["summary"], &json["annotations"]),
        (&"created".into(), &true.into(), &8.into())
    );
}

#[test]
fn what_was_not_checked_cannot_be_published() {
    let project = Project::new();
    project.publish(&[], &[]).exit(2).stderr_has("no verdict to publish");
    let missing = project.run(&["publish", "no-such-run"], &[]);
    assert_eq!(missing.status.code(), Some(2));
}
