//! A small HTTP server on 127.0.0.1 whose answers a closure makes.

use std::collections::BTreeMap;
use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::Arc;

/// What came.
#[derive(Debug)]
pub struct Asked {
    pub method: String,
    /// With what stands behind `?`.
    pub path: String,
    /// Names in lower case.
    pub headers: BTreeMap<String, String>,
    pub body: Vec<u8>,
}

/// What goes back: status, type and body.
pub struct Said(pub u16, pub &'static str, pub Vec<u8>);

impl Said {
    /// No word, and the connection is closed.
    pub const NOTHING: Self = Self(0, "", Vec::new());
}

/// Starts a server; it ends with the test's process.
pub fn serve(answer: impl Fn(Asked) -> Said + Send + Sync + 'static) -> SocketAddr {
    let listener = TcpListener::bind(("127.0.0.1", 0)).unwrap();
    let address = listener.local_addr().unwrap();
    let answer = Arc::new(answer);
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let answer = Arc::clone(&answer);
            // A client that is gone is no fault of the server.
            std::thread::spawn(move || converse(stream?, &*answer));
        }
    });
    address
}

fn converse(mut stream: TcpStream, answer: &dyn Fn(Asked) -> Said) -> std::io::Result<()> {
    stream.set_nodelay(true)?;
    let mut buffer = Vec::new();
    while let Some(asked) = read(&mut stream, &mut buffer)? {
        let Said(status @ 100.., content_type, body) = answer(asked) else { return Ok(()) };
        let head =
            format!("HTTP/1.1 {status} Said\r\ncontent-type: {content_type}\r\ncontent-length: {}\r\n\r\n", body.len());
        stream.write_all(&[head.as_bytes(), &body].concat())?;
    }
    Ok(())
}

fn read(stream: &mut TcpStream, buffer: &mut Vec<u8>) -> std::io::Result<Option<Asked>> {
    let mut piece = vec![0; 64 << 10];
    loop {
        if let Some(end) = buffer.windows(4).position(|window| window == b"\r\n\r\n") {
            let head = String::from_utf8_lossy(&buffer[..end]).into_owned();
            let mut lines = head.lines();
            let mut first = lines.next().unwrap_or_default().split(' ').map(str::to_owned);
            let headers: BTreeMap<String, String> = lines
                .filter_map(|line| line.split_once(':'))
                .map(|(name, value)| (name.to_ascii_lowercase(), value.trim().to_owned()))
                .collect();
            let length = headers.get("content-length").and_then(|length| length.parse().ok()).unwrap_or(0);
            while buffer.len() < end + 4 + length {
                let count = stream.read(&mut piece)?;
                if count == 0 {
                    return Ok(None);
                }
                buffer.extend_from_slice(&piece[..count]);
            }
            let body = buffer[end + 4..end + 4 + length].to_vec();
            buffer.drain(..end + 4 + length);
            let (method, path) = (first.next().unwrap_or_default(), first.next().unwrap_or_default());
            return Ok(Some(Asked { method, path, headers, body }));
        }
        let count = stream.read(&mut piece)?;
        if count == 0 {
            return Ok(None);
        }
        buffer.extend_from_slice(&piece[..count]);
    }
}
