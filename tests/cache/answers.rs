//! What is asked, what comes from the store, and what that looks like.

use std::sync::Arc;

use evalgauge::call::{Answered, Call, Completion, Finish, Program, Reply, Source};
use evalgauge::provider::cache::{CacheMode, Cached, Found, Identity, Store, verify};
use evalgauge::provider::{Provider, ProviderError};
use futures_util::future::join_all;
use rusqlite::Connection;
use serde_json::json;
use tempfile::tempdir;

use crate::stub::{Stub, answer, failure, fill, identity, open, question, text};

#[tokio::test]
async fn what_was_asked_once_is_kept_with_its_figures() {
    let folder = tempdir().unwrap();
    let path = folder.path().join("answers.sqlite");
    let stub = Stub::counting();
    {
        let store = open(&path);
        let live = stub.cached(&store, CacheMode::ReadWrite).ask(&question(1)).await.unwrap();
        assert_eq!((live.source, text(&live)), (Source::Live, "answer 0"));
    }
    // Another process, as far as the store can tell.
    let store = open(&path);
    let cached = stub.cached(&store, CacheMode::ReadWrite);
    let again = cached.ask(&question(1)).await.unwrap();
    assert_eq!(again, Answered { source: Source::Cache, ..answer("answer 0") });
    assert_eq!(text(&cached.ask(&question(2)).await.unwrap()), "answer 1");
    let report = store.report();
    assert_eq!((report.hits, report.misses, report.stored, report.corrupted), (1, 1, 1, 0));
    assert_eq!(stub.asked(), 2);

    // Under another name in the config it is the same question; another repeat is another one.
    let Call::Chat(mut request) = question(1) else { unreachable!() };
    request.provider = "renamed".to_owned();
    assert_eq!(cached.ask(&Call::Chat(request.clone())).await.unwrap().source, Source::Cache);
    request.repeat = 1;
    assert_eq!(cached.ask(&Call::Chat(request)).await.unwrap().source, Source::Live);
}

#[tokio::test]
async fn read_only_asks_nobody_and_names_what_is_missing() {
    let folder = tempdir().unwrap();
    let path = folder.path().join("answers.sqlite");
    assert!(Store::open_read_only(&path).is_err(), "there is none");
    assert!(!path.exists(), "and looking for one makes none");
    fill(&path, [1]).await;

    let store = Arc::new(Store::open_read_only(&path).unwrap());
    let stub = Stub::counting();
    let cached = stub.cached(&store, CacheMode::ReadOnly);
    assert_eq!(text(&cached.ask(&question(1)).await.unwrap()), "answer 0");
    let error = cached.ask(&question(2)).await.unwrap_err();
    let key = identity().key(&question(2)).to_string();
    assert!(matches!(&error, ProviderError::CacheMiss { key: missing, .. } if *missing == key));
    let said = error.to_string();
    for part in [key.as_str(), "small", "model-1", "Question 2: which team"] {
        assert!(said.contains(part), "{said} lacks {part}");
    }
    assert_eq!(stub.asked(), 0);
}

#[tokio::test]
async fn refresh_asks_each_question_anew_once_and_off_leaves_the_store_alone() {
    let folder = tempdir().unwrap();
    let path = folder.path().join("answers.sqlite");
    fill(&path, [1, 2]).await;
    let stub = Stub::new(|n| Ok(answer(&format!("new {n}"))));
    {
        let store = open(&path);
        let cached = stub.cached(&store, CacheMode::Refresh);
        for expected in [Source::Live, Source::Cache, Source::Cache] {
            let answered = cached.ask(&question(1)).await.unwrap();
            assert_eq!((answered.source, text(&answered)), (expected, "new 0"));
        }
        let off = stub.cached(&store, CacheMode::Off);
        assert_eq!(text(&off.ask(&question(2)).await.unwrap()), "new 1");
        assert_eq!(text(&off.ask(&question(2)).await.unwrap()), "new 2");
    }
    let store = open(&path);
    let cached = stub.cached(&store, CacheMode::ReadWrite);
    assert_eq!(text(&cached.ask(&question(1)).await.unwrap()), "new 0");
    assert_eq!(text(&cached.ask(&question(2)).await.unwrap()), "answer 1", "as it was before");
    assert_eq!(stub.asked(), 3);
}

#[tokio::test]
async fn refusals_are_kept_and_failures_are_not() {
    let folder = tempdir().unwrap();
    let store = open(&folder.path().join("answers.sqlite"));
    let refusal = Reply::Completion(Completion {
        text: "I cannot help with that.".to_owned(),
        finish: Finish::Refusal,
        ..Completion::default()
    });
    let kept = [refusal, Reply::Vector(vec![0.1, -2.5e-8, f32::MAX]), Reply::Output(json!({"b": 1e300, "a": [null]}))];
    for (number, reply) in kept.into_iter().enumerate() {
        let stub = Stub::new(move |_| Ok(Answered::live(reply.clone(), 1.0, None)));
        let cached = stub.cached(&store, CacheMode::ReadWrite);
        let live = cached.ask(&question(number)).await.unwrap();
        let again = cached.ask(&question(number)).await.unwrap();
        assert_eq!(again, Answered { source: Source::Cache, ..live });
        assert_eq!(stub.asked(), 1);
    }
    let never = [failure("500"), Answered::live(Reply::Vector(vec![f32::NAN]), 1.0, None)];
    for (number, answered) in (10..).zip(never) {
        let stub = Stub::new(move |_| Ok(answered.clone()));
        let cached = stub.cached(&store, CacheMode::ReadWrite);
        cached.ask(&question(number)).await.unwrap();
        cached.ask(&question(number)).await.unwrap();
        assert_eq!(stub.asked(), 2, "a failure was kept");
    }
}

#[tokio::test]
async fn a_program_is_known_by_its_settings_and_version() {
    let folder = tempdir().unwrap();
    let store = open(&folder.path().join("answers.sqlite"));
    let stub = Stub::counting();
    let call = |provider: &str| {
        Call::Program(Program { provider: provider.to_owned(), input: json!({"id": "a", "trial": 0, "input": "x"}) })
    };
    let ask = async |version: &str, provider: &str| {
        let identity = Identity::new("command", "").with("settings", "0a1b").with("version", version);
        let cached = Cached::new(Box::new(stub.clone()), identity, Arc::clone(&store), CacheMode::ReadWrite);
        text(&cached.ask(&call(provider)).await.unwrap()).to_owned()
    };
    assert_eq!(ask("v1", "app").await, "answer 0");
    assert_eq!(ask("v1", "renamed").await, "answer 0");
    assert_eq!(ask("v2", "app").await, "answer 1");
}

/// Ways to damage a kept answer behind the store's back.
const DAMAGE: [&str; 8] = [
    "value = CAST(substr(value, 1, 20) || x'5a' || substr(value, 22) AS BLOB)",
    "value = CAST(substr(value, 1, length(value) - 1) AS BLOB)",
    "value = x''",
    "checksum = x'00'",
    "kind = 'anthropic'",
    "model = 'model-2'",
    "created = created + 1",
    "bytes = bytes + 1",
];

#[tokio::test]
async fn a_damaged_entry_is_reported_and_asked_again() {
    let folder = tempdir().unwrap();
    let path = folder.path().join("answers.sqlite");
    for damage in DAMAGE {
        fill(&path, [1, 2]).await;
        let key = identity().key(&question(1));
        let changed = Connection::open(&path)
            .unwrap()
            .execute(&format!("UPDATE answer SET {damage} WHERE lower(hex(key)) = ?1"), [key.to_string()])
            .unwrap();
        assert_eq!(changed, 1);

        let found = verify(&path, false).unwrap();
        assert!(!found.is_sound(), "{damage}");
        assert_eq!(found.broken.iter().map(|broken| broken.key.clone()).collect::<Vec<_>>(), [key.to_string()]);

        let stub = Stub::new(|_| Ok(answer("asked again")));
        {
            let store = Arc::new(Store::open_read_only(&path).unwrap());
            let error = stub.cached(&store, CacheMode::ReadOnly).ask(&question(1)).await.unwrap_err();
            assert!(matches!(error, ProviderError::CacheMiss { .. }), "{damage}: {error}");
        }
        let store = open(&path);
        let cached = stub.cached(&store, CacheMode::ReadWrite);
        assert_eq!(text(&cached.ask(&question(1)).await.unwrap()), "asked again", "{damage}");
        assert_eq!(cached.ask(&question(1)).await.unwrap().source, Source::Cache);
        assert_eq!(cached.ask(&question(2)).await.unwrap().source, Source::Cache);
        assert_eq!((stub.asked(), store.report().corrupted, store.report().stored), (1, 1, 1), "{damage}");
        let warnings = store.take_warnings();
        assert!(matches!(warnings.as_slice(), [one] if one.contains("Question 1") && one.contains("broken")));
        assert!(store.take_warnings().is_empty(), "said once");
        drop((cached, store));
        assert!(verify(&path, false).unwrap().is_sound(), "{damage}: overwritten");
        std::fs::remove_file(&path).unwrap();
    }
}

#[tokio::test]
async fn an_answer_under_anothers_key_is_broken() {
    let folder = tempdir().unwrap();
    let path = folder.path().join("answers.sqlite");
    fill(&path, [1, 2]).await;
    let [one, two] = [1, 2].map(|number| identity().key(&question(number)).to_string());
    let connection = Connection::open(&path).unwrap();
    let rename = |from: &str, to: &str| {
        connection.execute("UPDATE answer SET key = unhex(?2) WHERE lower(hex(key)) = ?1", [from, to]).unwrap()
    };
    assert_eq!(rename(&one, "00") + rename(&two, &one) + rename("00", &two), 3);
    drop(connection);
    let store = Store::open_read_only(&path).unwrap();
    for number in [1, 2] {
        let found = store.get(&identity().key(&question(number))).unwrap();
        assert!(matches!(found, Found::Broken(_)), "{found:?}");
    }
}

#[tokio::test]
async fn equal_calls_in_flight_are_sent_once() {
    let folder = tempdir().unwrap();
    let store = open(&folder.path().join("answers.sqlite"));
    let stub = Stub::counting();
    // Two candidates of one model on one store.
    let [one, other] = [(), ()].map(|()| stub.cached(&store, CacheMode::ReadWrite));
    let calls: Vec<Call> = (0..60).map(|number| question(number % 3)).collect();
    let answers =
        join_all(calls.iter().enumerate().map(|(at, call)| if at % 2 == 0 { one.ask(call) } else { other.ask(call) }))
            .await;
    let answers: Vec<Answered> = answers.into_iter().map(Result::unwrap).collect();
    assert_eq!(stub.asked(), 3);
    for (at, answered) in answers.iter().enumerate() {
        assert_eq!(text(answered), text(&answers[at % 3]));
        assert_eq!(answered.source, if at < 3 { Source::Live } else { Source::Cache });
    }
    let report = store.report();
    assert_eq!((report.misses, report.stored, report.coalesced, report.hits), (3, 3, 57, 0));
}

#[tokio::test]
async fn a_failure_is_shared_and_an_abandoned_call_is_taken_over() {
    let folder = tempdir().unwrap();
    let store = open(&folder.path().join("answers.sqlite"));
    let call = question(1);

    let broken = Stub::new(|_| Ok(failure("down")));
    let cached = broken.cached(&store, CacheMode::ReadWrite);
    for answered in join_all((0..5).map(|_| cached.ask(&call))).await {
        assert!(matches!(answered.unwrap().reply, Reply::Failed(_)));
    }
    assert_eq!((broken.asked(), store.report().stored), (1, 0));

    // An error ends the run; whoever still waits asks, and finds out.
    let unfit = Stub::new(|n| if n == 0 { Err(ProviderError::Settings("no".to_owned())) } else { Ok(answer("yes")) });
    let cached = unfit.cached(&store, CacheMode::ReadWrite);
    let answers = join_all((0..3).map(|_| cached.ask(&call))).await;
    assert!(answers[0].is_err());
    assert!(answers[1..].iter().all(|answered| text(answered.as_ref().unwrap()) == "yes"));
    assert_eq!(unfit.asked(), 2);

    // The first one is dropped while it is being asked.
    let call = question(2);
    let stub = Stub::counting();
    let cached = stub.cached(&store, CacheMode::ReadWrite);
    let mut first = cached.ask(&call);
    assert!(futures_util::poll!(&mut first).is_pending());
    let second = cached.ask(&call);
    let (second, ()) = futures_util::future::join(second, async { drop(first) }).await;
    assert_eq!(text(&second.unwrap()), "answer 1");
}

#[tokio::test]
async fn of_two_processes_that_ask_the_same_both_use_what_is_kept() {
    let folder = tempdir().unwrap();
    let path = folder.path().join("answers.sqlite");
    // Two stores on one file know as little of each other as two processes.
    let [one, other] = [open(&path), open(&path)];
    let ask = async |store: &Arc<Store>, says: &'static str| {
        let stub = Stub::new(move |_| Ok(answer(says)));
        stub.cached(store, CacheMode::ReadWrite).ask(&question(1)).await.unwrap()
    };
    let (a, b) = futures_util::future::join(ask(&one, "one"), ask(&other, "other")).await;
    assert_eq!(text(&a), text(&b));
    assert_eq!((a.source, b.source), (Source::Live, Source::Live), "both were paid for");
    assert_eq!(one.report().overtaken + other.report().overtaken, 1);
    let kept = ask(&one, "third").await;
    assert_eq!((text(&kept), kept.source), (text(&a), Source::Cache));
}

#[cfg(unix)]
#[tokio::test]
async fn the_files_are_their_owners_alone() {
    use std::os::unix::fs::PermissionsExt;
    let folder = tempdir().unwrap();
    let path = folder.path().join("new/deeper/answers.sqlite");
    let store = open(&path);
    Stub::counting().cached(&store, CacheMode::ReadWrite).ask(&question(1)).await.unwrap();
    let mode = |path: &std::path::Path| std::fs::metadata(path).unwrap().permissions().mode() & 0o777;
    assert_eq!(mode(path.parent().unwrap()), 0o700);
    let mut seen = 0;
    for file in std::fs::read_dir(path.parent().unwrap()).unwrap() {
        let file = file.unwrap().path();
        assert_eq!(mode(&file), 0o600, "{}", file.display());
        seen += 1;
    }
    assert_eq!(seen, 3, "the file, its log, and the index of that");
}

#[tokio::test]
async fn a_file_of_something_else_is_refused_and_left_alone() {
    let folder = tempdir().unwrap();
    let text = folder.path().join("text.sqlite");
    std::fs::write(&text, "This is no database, but a text that is long enough to be mistaken for one.").unwrap();
    let foreign = folder.path().join("foreign.sqlite");
    Connection::open(&foreign).unwrap().execute_batch("CREATE TABLE mine (a)").unwrap();
    let newer = folder.path().join("newer.sqlite");
    fill(&newer, [1]).await;
    Connection::open(&newer).unwrap().pragma_update(None, "user_version", 2).unwrap();
    for (path, why) in [(&text, "not a cache"), (&foreign, "not a cache"), (&newer, "reads up to 1")] {
        let before = std::fs::read(path).unwrap();
        for result in [Store::open(path), Store::open_read_only(path)] {
            let error = result.err().expect("refused").to_string();
            assert!(error.contains(why) && error.contains(path.to_str().unwrap()), "{error}");
        }
        if *path != newer {
            let found: Vec<u8> = std::fs::read(path).unwrap();
            assert_eq!(found.len(), before.len(), "{}", path.display());
        }
    }
}
