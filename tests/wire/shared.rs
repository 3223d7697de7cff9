//! A cache that several machines share, from outside: what one has paid for costs the next one nothing.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use crate::http::{Asked, Said, serve};
use crate::server::{Fate, Server};
use crate::{KEY, MODEL, Project};

const TOKEN: &str = "tok-MARKED-3b9d2c71aa0e55f4";

/// The other side: files under names, as a bucket keeps them.
#[derive(Clone, Default)]
struct Bucket {
    files: Arc<Mutex<BTreeMap<String, Vec<u8>>>>,
    seen: Arc<Mutex<Vec<String>>>,
}

impl Bucket {
    fn answer(&self, asked: Asked) -> Said {
        self.seen.lock().unwrap().push(asked.method.clone());
        if asked.headers.get("authorization").map(String::as_str) != Some(&format!("Bearer {TOKEN}")) {
            return Said(403, "text/plain", b"no".to_vec());
        }
        let mut files = self.files.lock().unwrap();
        match asked.method.as_str() {
            "PUT" => {
                files.insert(asked.path, asked.body);
                Said(201, "text/plain", Vec::new())
            }
            _ => match files.get(&asked.path) {
                Some(bytes) => Said(200, "application/octet-stream", bytes.clone()),
                None => Said(404, "text/plain", Vec::new()),
            },
        }
    }

    fn count(&self, method: &str) -> usize {
        self.seen.lock().unwrap().iter().filter(|seen| *seen == method).count()
    }
}

/// A project with a shared cache.
fn project(server: &Server, shared: &str, mode: &str) -> Project {
    let shared = format!("shared_cache = {{ url = \"{shared}\", key_env = \"SHARED_TOKEN\", mode = \"{mode}\" }}\n");
    Project::new(server, 30, &format!("{shared}{MODEL}"))
}

fn run(project: &Project, arguments: &[&str]) -> (i32, serde_json::Value, String) {
    let mut command = project.command(&[arguments, &["--format", "json"]].concat());
    let output = command.env("SHARED_TOKEN", TOKEN).output().unwrap();
    let stderr = String::from_utf8(output.stderr).unwrap();
    (output.status.code().unwrap(), serde_json::from_slice(&output.stdout).unwrap_or_default(), stderr)
}

#[test]
fn a_second_machine_asks_nobody() {
    let server = Server::start(Duration::ZERO, |_| Fate::Answer);
    let bucket = Bucket::default();
    let there = bucket.clone();
    let base = format!("http://{}/team/answers/", serve(move |asked| there.answer(asked)));
    let one = project(&server, &base, "rw");
    let (code, first, stderr) = run(&one, &["run"]);
    assert_eq!(code, 0, "{stderr}");
    assert_eq!((bucket.count("PUT"), server.seen.lock().unwrap().requests), (30, 30));
    // Another machine: another folder, another cache. Nobody is asked, also when nobody may be.
    for mode in ["rw", "ro"] {
        for cache in ["ro", "rw"] {
            let two = project(&server, &base, mode);
            let (code, again, stderr) = run(&two, &["run", "--cache", cache]);
            assert_eq!(code, 0, "{stderr}");
            assert_eq!(again["record_sha256"], first["record_sha256"]);
            assert!(stderr.contains("30 from the shared one"), "{stderr}");
            // From now on its own cache has them too.
            let asked = bucket.count("GET");
            let (code, ..) = run(&two, &["run", "--cache", "ro"]);
            assert_eq!((code, bucket.count("GET") - asked), (0, 0));
        }
    }
    assert_eq!(server.seen.lock().unwrap().requests, 30, "zero calls of the other machines");
    assert_eq!(bucket.count("PUT"), 30);
    // A damaged answer, and one in another's place, are asked instead.
    let names: Vec<String> = bucket.files.lock().unwrap().keys().cloned().collect();
    let another = bucket.files.lock().unwrap()[&names[0]].clone();
    bucket.files.lock().unwrap().insert(names[1].clone(), another);
    bucket.files.lock().unwrap().get_mut(&names[2]).unwrap()[20] ^= 1;
    let three = project(&server, &base, "ro");
    let (code, again, stderr) = run(&three, &["run"]);
    assert_eq!((code, &again["record_sha256"]), (0, &first["record_sha256"]), "{stderr}");
    assert_eq!(server.seen.lock().unwrap().requests, 32);
    assert_eq!(stderr.matches("the shared cache failed").count(), 1, "{stderr}");
    assert_eq!(bucket.count("PUT"), 30, "`ro` puts nothing there");
    // Neither key is in a file of the projects, or in what went to the shared cache.
    for project in [&one, &three] {
        for secret in [TOKEN, KEY] {
            project.has_nowhere(secret);
        }
    }
    for bytes in bucket.files.lock().unwrap().values().filter_map(|bytes| zstd::decode_all(&bytes[..]).ok()) {
        // The damaged one may be anything.
        let text = String::from_utf8_lossy(&bytes);
        assert!(!text.contains(TOKEN) && !text.contains(KEY));
    }
}

#[test]
fn a_shared_cache_that_is_broken_or_slow_breaks_nothing_and_is_said_once() {
    let server = Server::start(Duration::ZERO, |_| Fate::Answer);
    let nobody = std::net::TcpListener::bind(("127.0.0.1", 0)).unwrap().local_addr().unwrap();
    let cases = [
        ("closed", nobody),
        ("hangs up", serve(|_| Said::NOTHING)),
        ("fails", serve(|_| Said(500, "text/plain", b"broken".to_vec()))),
        ("answers something else", serve(|_| Said(200, "text/html", b"<h1>Welcome</h1>".to_vec()))),
        (
            "hangs",
            serve(|_| {
                loop {
                    std::thread::park();
                }
            }),
        ),
    ];
    for (what, address) in cases {
        let project = project(&server, &format!("http://{address}"), "rw");
        let (code, printed, stderr) = run(&project, &["run"]);
        assert_eq!((code, &printed["failed"]), (0, &0.into()), "{what}: {stderr}");
        assert_eq!(stderr.matches("the shared cache failed").count(), 1, "{what}: {stderr}");
        assert!(!stderr.contains(TOKEN), "{what}");
    }
    // A token that is named and not there, or an address with one in it, is a fault of the settings.
    let project = project(&server, "http://127.0.0.1:9/x", "rw");
    let (code, _, stderr) = project.run(&["run"]);
    assert!(code == 2 && stderr.contains("`SHARED_TOKEN` is not set"), "{code} {stderr}");
    let config = project.path().join("evalgauge.toml");
    let text = std::fs::read_to_string(&config).unwrap();
    std::fs::write(&config, text.replace("127.0.0.1:9", &format!("u:{TOKEN}@127.0.0.1:9"))).unwrap();
    let (code, _, stderr) = project.run(&["run"]);
    assert!(code == 2 && stderr.contains("shared_cache.url") && !stderr.contains(TOKEN), "{code} {stderr}");
}
