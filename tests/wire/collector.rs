//! A stand-in for a collector on 127.0.0.1: keeps what is posted to it, and answers as told.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::{Arc, Mutex};

use serde_json::Value;

#[derive(Debug, Clone)]
pub struct Post {
    pub head: String,
    pub body: String,
}

pub struct Collector {
    address: SocketAddr,
    posts: Arc<Mutex<Vec<Post>>>,
}

impl Collector {
    /// Starts a collector that answers every post with this status; it ends with the test's process.
    pub fn start(status: u16) -> Self {
        let listener = TcpListener::bind(("127.0.0.1", 0)).unwrap();
        let address = listener.local_addr().unwrap();
        let posts = Arc::new(Mutex::new(Vec::new()));
        let kept = Arc::clone(&posts);
        std::thread::spawn(move || {
            for stream in listener.incoming() {
                // A client that is gone is no fault of the collector.
                let _ = serve(stream.unwrap(), status, &kept);
            }
        });
        Self { address, posts }
    }

    pub fn base(&self) -> String {
        format!("http://{}", self.address)
    }

    pub fn posts(&self) -> Vec<Post> {
        self.posts.lock().unwrap().clone()
    }

    /// Every span that was posted.
    pub fn spans(&self) -> Vec<Value> {
        let mut spans = Vec::new();
        for post in self.posts() {
            let body: Value = serde_json::from_str(&post.body).unwrap();
            for resource in body["resourceSpans"].as_array().unwrap() {
                assert_eq!(resource["resource"]["attributes"][0]["value"]["stringValue"], "evalgauge");
                for scope in resource["scopeSpans"].as_array().unwrap() {
                    spans.extend(scope["spans"].as_array().unwrap().iter().cloned());
                }
            }
        }
        spans
    }
}

/// One post a connection.
fn serve(mut stream: TcpStream, status: u16, posts: &Mutex<Vec<Post>>) -> std::io::Result<()> {
    let mut bytes = Vec::new();
    let mut buffer = [0; 8192];
    let end = loop {
        let count = stream.read(&mut buffer)?;
        if count == 0 {
            return Ok(());
        }
        bytes.extend_from_slice(&buffer[..count]);
        if let Some(end) = bytes.windows(4).position(|window| window == b"\r\n\r\n") {
            break end + 4;
        }
    };
    let head = String::from_utf8_lossy(&bytes[..end]).into_owned();
    let length = head
        .lines()
        .find_map(|line| line.to_ascii_lowercase().strip_prefix("content-length:")?.trim().parse::<usize>().ok())
        .unwrap_or(0);
    while bytes.len() < end + length {
        let count = stream.read(&mut buffer)?;
        if count == 0 {
            return Ok(());
        }
        bytes.extend_from_slice(&buffer[..count]);
    }
    let body = String::from_utf8_lossy(&bytes[end..]).into_owned();
    posts.lock().unwrap().push(Post { head, body });
    write!(
        stream,
        "HTTP/1.1 {status} x\r\ncontent-type: application/json\r\ncontent-length: 2\r\nconnection: close\r\n\r\n{{}}"
    )
}
