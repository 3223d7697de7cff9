//! A server that answers with bytes that no honest server sends.

use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::thread::JoinHandle;

/// What the server does with its one connection.
pub(super) enum Behaviour {
    /// Reads the request, says nothing, waits until the client goes.
    Silent,
    /// Reads the request, sends these bytes in pieces of this size, closes.
    Sends(Vec<u8>, usize),
    /// Sends these bytes and closes without having read the request, which resets the connection.
    Resets(Vec<u8>),
    /// Sends these bytes, then a blank every now and then until the client goes.
    Drips(Vec<u8>),
    /// Sends these bytes, then 50 MB, or as much as the client takes.
    Floods(Vec<u8>),
}

/// What is sent in all by [`Behaviour::Floods`].
pub(super) const FLOOD: usize = 50 << 20;

/// A server for one connection; gives the bytes that it could send.
pub(super) struct RawServer {
    pub(super) address: String,
    thread: JoinHandle<usize>,
}

impl RawServer {
    pub(super) fn start(behaviour: Behaviour) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = format!("http://{}", listener.local_addr().unwrap());
        let thread = std::thread::spawn(move || {
            let (stream, _) = listener.accept().unwrap();
            behave(stream, behaviour)
        });
        Self { address, thread }
    }

    /// Waits for its end; the client must be gone.
    pub(super) fn end(self) -> usize {
        self.thread.join().unwrap()
    }
}

fn behave(mut stream: TcpStream, behaviour: Behaviour) -> usize {
    stream.set_nodelay(true).unwrap();
    match behaviour {
        Behaviour::Silent => {
            read_request(&mut stream);
            while stream.read(&mut [0; 64]).is_ok_and(|count| count > 0) {}
            0
        }
        Behaviour::Sends(bytes, size) => {
            read_request(&mut stream);
            // The client may have seen enough before the end.
            bytes.chunks(size).take_while(|piece| stream.write_all(piece).is_ok()).map(<[u8]>::len).sum()
        }
        Behaviour::Resets(bytes) => {
            stream.read_exact(&mut [0]).unwrap();
            stream.write_all(&bytes).unwrap();
            bytes.len()
        }
        Behaviour::Drips(bytes) => {
            read_request(&mut stream);
            stream.write_all(&bytes).unwrap();
            while stream.write_all(b" ").is_ok() {
                std::thread::sleep(std::time::Duration::from_millis(5));
            }
            bytes.len()
        }
        Behaviour::Floods(bytes) => {
            read_request(&mut stream);
            stream.write_all(&bytes).unwrap();
            let piece = vec![b'x'; 64 << 10];
            let pieces = (0..FLOOD / piece.len()).take_while(|_| stream.write_all(&piece).is_ok()).count();
            pieces * piece.len()
        }
    }
}

/// Reads a request with its body.
fn read_request(stream: &mut TcpStream) {
    let mut request = Vec::new();
    let mut buffer = [0; 4096];
    loop {
        let count = stream.read(&mut buffer).unwrap();
        request.extend_from_slice(&buffer[..count]);
        let Some(end) = request.windows(4).position(|window| window == b"\r\n\r\n") else { continue };
        let head = String::from_utf8_lossy(&request[..end]).to_ascii_lowercase();
        let length = head.lines().find_map(|line| line.strip_prefix("content-length: ")?.parse::<usize>().ok());
        if request.len() >= end + 4 + length.unwrap_or_default() {
            return;
        }
    }
}

/// The bytes of an answer with status 200 that has this length, or none.
pub(super) fn head(content_type: &str, length: Option<usize>) -> Vec<u8> {
    let length = length.map_or_else(
        || "connection: close\r\n".to_owned(),
        |length| format!("content-length: {length}\r\nconnection: close\r\n"),
    );
    format!("HTTP/1.1 200 OK\r\ncontent-type: {content_type}\r\n{length}\r\n").into_bytes()
}

/// An answer that comes in chunks, without the last, empty one.
pub(super) fn unfinished_chunks(content_type: &str, body: &[u8]) -> Vec<u8> {
    let mut bytes = format!(
        "HTTP/1.1 200 OK\r\ncontent-type: {content_type}\r\ntransfer-encoding: chunked\r\n\r\n{:x}\r\n",
        body.len()
    )
    .into_bytes();
    bytes.extend_from_slice(body);
    bytes.extend_from_slice(b"\r\n");
    bytes
}
