//! A server whose certificate is not good, or that speaks no TLS, ends a run at once: trying again would not help.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener};
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::{ServerConfig, ServerConnection, StreamOwned};

use crate::Project;

/// A file of the test's certificates, which are nobody's and protect nothing.
fn file(name: &str) -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/wire/tls").join(name)
}

/// A model behind TLS; how many connections came.
fn serve(certificate: &str) -> (SocketAddr, Arc<AtomicUsize>) {
    let chain = vec![CertificateDer::from_pem_file(file(&format!("{certificate}.crt"))).unwrap()];
    let key = PrivateKeyDer::from_pem_file(file(&format!("{certificate}.key"))).unwrap();
    let _ = rustls::crypto::ring::default_provider().install_default();
    let config = Arc::new(ServerConfig::builder().with_no_client_auth().with_single_cert(chain, key).unwrap());
    let listener = TcpListener::bind(("127.0.0.1", 0)).unwrap();
    let address = listener.local_addr().unwrap();
    let count = Arc::new(AtomicUsize::new(0));
    let counter = Arc::clone(&count);
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            counter.fetch_add(1, Ordering::SeqCst);
            let connection = ServerConnection::new(Arc::clone(&config)).unwrap();
            let mut stream = StreamOwned::new(connection, stream.unwrap());
            std::thread::spawn(move || {
                let body = r#"{"choices": [{"message": {"content": "WORD"}, "finish_reason": "stop"}]}"#;
                let mut buffer = [0; 8 << 10];
                // A client that does not like the certificate goes away.
                while stream.read(&mut buffer).is_ok_and(|count| count > 0) {
                    let head = "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\n";
                    let _ = write!(stream, "{head}content-length: {}\r\n\r\n{body}", body.len());
                }
            });
        }
    });
    (address, count)
}

/// A run against an address, with a file of authorities: exit code and what was said.
fn run(address: SocketAddr, authorities: Option<&str>) -> (i32, String) {
    let project =
        Project::at(5, &format!("[candidates.model.openai]\nmodel = \"m\"\nbase_url = \"https://{address}/v1\"\n"));
    let mut command = project.command(&["run", "--concurrency", "1"]);
    match authorities {
        Some(name) => command.env("SSL_CERT_FILE", file(name)),
        None => command.env_remove("SSL_CERT_FILE"),
    };
    let output = command.output().unwrap();
    (output.status.code().unwrap(), String::from_utf8(output.stderr).unwrap())
}

#[test]
fn a_bad_certificate_ends_the_run_at_once() {
    let (address, connections) = serve("here");
    let (code, stderr) = run(address, None);
    assert!(code == 2 && stderr.contains("certificate") && stderr.contains("SSL_CERT_FILE"), "{code} {stderr}");
    assert_eq!(connections.load(Ordering::SeqCst), 1, "one look is enough: {stderr}");
    // One that is known is good.
    let (code, stderr) = run(address, Some("here.crt"));
    assert_eq!(code, 0, "{stderr}");
    // One for another name is not.
    let (address, connections) = serve("elsewhere");
    let (code, stderr) = run(address, Some("elsewhere.crt"));
    assert!(code == 2 && stderr.contains("certificate"), "{code} {stderr}");
    assert_eq!(connections.load(Ordering::SeqCst), 1, "{stderr}");
    // Who speaks no TLS will not learn it.
    let plain = TcpListener::bind(("127.0.0.1", 0)).unwrap();
    let address = plain.local_addr().unwrap();
    std::thread::spawn(move || {
        for stream in plain.incoming() {
            let mut stream = stream.unwrap();
            let _ = stream.read(&mut [0; 4096]);
            let _ = stream.write_all(b"HTTP/1.1 400 Bad Request\r\ncontent-length: 0\r\n\r\n");
        }
    });
    let (code, stderr) = run(address, None);
    assert!(code == 2 && stderr.contains("no safe connection"), "{code} {stderr}");
}
