//! A cache that several machines share, over plain HTTP.

use std::collections::HashMap;
use std::sync::{Arc, Mutex};

use evalgauge::call::Source;
use evalgauge::provider::Provider;
use evalgauge::provider::cache::{CacheMode, HttpShared, Store};
use tempfile::tempdir;
use wiremock::matchers::any;
use wiremock::{Mock, MockServer, Request, Respond, ResponseTemplate};

use crate::stub::{Stub, identity, question, text};

/// Keeps what is put.
#[derive(Clone, Default)]
struct Files(Arc<Mutex<HashMap<String, Vec<u8>>>>);

impl Respond for Files {
    fn respond(&self, request: &Request) -> ResponseTemplate {
        let mut files = self.0.lock().unwrap();
        let path = request.url.path().to_owned();
        match request.method.as_str() {
            "PUT" => {
                files.insert(path, request.body.clone());
                ResponseTemplate::new(201)
            }
            _ => files
                .get(&path)
                .map_or(ResponseTemplate::new(404), |bytes| ResponseTemplate::new(200).set_body_bytes(bytes.clone())),
        }
    }
}

fn store(folder: &std::path::Path, name: &str, base: &str) -> Arc<Store> {
    // Also without TLS the client wants to know how it would be done.
    let _ = rustls::crypto::ring::default_provider().install_default();
    let client = reqwest::Client::builder().no_proxy().build().unwrap();
    let shared = HttpShared::new(client, base, Some("token".to_owned()));
    Arc::new(Store::open(&folder.join(name)).unwrap().with_shared(Arc::new(shared)))
}

#[tokio::test]
async fn what_one_machine_has_paid_for_another_finds() {
    let server = MockServer::start().await;
    let files = Files::default();
    Mock::given(any()).respond_with(files.clone()).mount(&server).await;
    let folder = tempdir().unwrap();
    let base = format!("{}/answers/", server.uri());
    let stub = Stub::counting();

    let one = store(folder.path(), "one.sqlite", &base);
    stub.cached(&one, CacheMode::ReadWrite).ask(&question(1)).await.unwrap();
    let address = format!("/answers/{}", identity().key(&question(1)));
    assert_eq!(files.0.lock().unwrap().keys().collect::<Vec<_>>(), [&address]);

    let two = store(folder.path(), "two.sqlite", &base);
    let cached = stub.cached(&two, CacheMode::ReadWrite);
    for _ in 0..2 {
        let found = cached.ask(&question(1)).await.unwrap();
        assert_eq!((text(&found), found.source), ("answer 0", Source::Cache));
    }
    assert_eq!((stub.asked(), two.report().shared, two.report().hits), (1, 1, 1), "then it is kept here too");

    // What is broken, or belongs to another question, is asked instead.
    let anothers = files.0.lock().unwrap()[&address].clone();
    for bytes in [b"nonsense".to_vec(), anothers] {
        let other = format!("/answers/{}", identity().key(&question(2)));
        files.0.lock().unwrap().insert(other, bytes);
        let three = store(folder.path(), "three.sqlite", &base);
        let found = stub.cached(&three, CacheMode::ReadWrite).ask(&question(2)).await.unwrap();
        assert_eq!(found.source, Source::Live);
        let warnings = three.take_warnings();
        assert!(matches!(warnings.as_slice(), [one] if one.contains("the shared cache")), "{warnings:?}");
        drop(three);
        std::fs::remove_file(folder.path().join("three.sqlite")).unwrap();
    }
    let seen = server.received_requests().await.unwrap();
    assert!(seen.iter().all(|request| request.headers["authorization"] == "Bearer token"));
}

#[tokio::test]
async fn a_shared_cache_that_is_down_holds_nobody_up() {
    let server = MockServer::start().await;
    Mock::given(any()).respond_with(ResponseTemplate::new(503)).mount(&server).await;
    let folder = tempdir().unwrap();
    let store = store(folder.path(), "one.sqlite", &server.uri());
    let stub = Stub::counting();
    let cached = stub.cached(&store, CacheMode::ReadWrite);
    for number in 0..20 {
        assert_eq!(cached.ask(&question(number)).await.unwrap().source, Source::Live);
    }
    assert_eq!(server.received_requests().await.unwrap().len(), 3, "then it is left alone");
    let warnings = store.take_warnings();
    let [one] = &warnings[..] else { panic!("said once: {warnings:?}") };
    assert!(one.contains("3 times") && one.contains("503") && one.contains("left alone"), "{one}");
    assert_eq!(store.report().stored, 20);
}
