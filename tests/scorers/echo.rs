//! A model server on 127.0.0.1 that says what it is told to say: the prompt is the choice of its completion.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};

use serde_json::{Value, json};

/// Ten tokens read and ten written are three cents.
pub const PRICES: &str = "as_of = \"2026-01-01\"\n[models]\nm = { input = 1000.0, output = 2000.0 }\n";

pub struct Echo {
    address: SocketAddr,
}

impl Echo {
    /// Starts a server; it ends with the test's process.
    pub fn start() -> Self {
        let listener = TcpListener::bind(("127.0.0.1", 0)).unwrap();
        let address = listener.local_addr().unwrap();
        std::thread::spawn(move || {
            for stream in listener.incoming() {
                let stream = stream.unwrap();
                // A client that is gone is no fault of the server.
                std::thread::spawn(move || serve(stream));
            }
        });
        Self { address }
    }

    pub fn base_url(&self) -> String {
        format!("http://{}/v1", self.address)
    }
}

fn serve(stream: TcpStream) -> std::io::Result<()> {
    let mut reader = BufReader::new(stream.try_clone()?);
    let mut writer = stream;
    loop {
        let mut length = 0;
        loop {
            let mut line = String::new();
            if reader.read_line(&mut line)? == 0 {
                return Ok(());
            }
            let line = line.trim_end().to_ascii_lowercase();
            if let Some(value) = line.strip_prefix("content-length:") {
                length = value.trim().parse().unwrap();
            }
            if line.is_empty() {
                break;
            }
        }
        let mut body = vec![0; length];
        reader.read_exact(&mut body)?;
        let asked: Value = serde_json::from_slice(&body).unwrap();
        let prompt = asked["messages"].as_array().unwrap().last().unwrap()["content"].as_str().unwrap();
        let mut choice: Value = serde_json::from_str(prompt).unwrap();
        choice["index"] = json!(0);
        choice["message"]["role"] = json!("assistant");
        let said = json!({
            "id": "c", "object": "chat.completion", "model": asked["model"], "choices": [choice],
            "usage": {"prompt_tokens": 10, "completion_tokens": 10},
        })
        .to_string();
        write!(
            writer,
            "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: {}\r\n\r\n{said}",
            said.len()
        )?;
    }
}
