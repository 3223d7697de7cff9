//! As much of HTTP/1.1 as one page needs: one request a connection, everything bounded in size and time.

use std::io::{ErrorKind, Read, Write};
use std::net::{Shutdown, TcpStream};
use std::time::{Duration, Instant};

/// A request has arrived whole after this long, or is given up.
const ARRIVES_WITHIN: Duration = Duration::from_secs(10);
/// A reader that takes longer to take its answer is given up.
const TAKEN_WITHIN: Duration = Duration::from_mins(1);
/// The longest head.
const MAX_HEAD: usize = 16 << 10;
/// The longest body: a grade with a long note.
const MAX_BODY: usize = 256 << 10;
const MAX_HEADERS: usize = 64;

/// A request that arrived whole.
#[derive(Debug)]
pub(super) struct Request {
    pub(super) method: String,
    /// The path as it was sent, without a query.
    pub(super) path: String,
    headers: Vec<(String, String)>,
    pub(super) body: Vec<u8>,
}

/// An answer.
#[derive(Debug)]
pub(super) struct Response {
    pub(super) status: u16,
    pub(super) content_type: &'static str,
    pub(super) headers: Vec<(&'static str, String)>,
    pub(super) body: Vec<u8>,
}

impl Request {
    /// A header that stands there once.
    pub(super) fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(own, _)| own == name).map(|(_, value)| value.as_str())
    }
}

impl Response {
    pub(super) fn text(status: u16, text: &str) -> Self {
        Self {
            status,
            content_type: "text/plain; charset=utf-8",
            headers: Vec::new(),
            body: format!("{text}\n").into_bytes(),
        }
    }

    pub(super) fn json(status: u16, value: &serde_json::Value) -> Self {
        Self { status, content_type: "application/json", headers: Vec::new(), body: value.to_string().into_bytes() }
    }
}

/// Answers the request of one connection; a connection without a request is closed.
pub(super) fn answer(mut stream: TcpStream, respond: impl FnOnce(&Request) -> Response) {
    let response = match receive(&mut stream) {
        Ok(Some(request)) => respond(&request),
        Ok(None) => return,
        Err(refusal) => refusal,
    };
    // A reader that has gone needs no answer.
    let _ = send(&mut stream, &response);
}

/// The request; nothing where the other side closed without sending one, as browsers do with spare connections.
fn receive(stream: &mut TcpStream) -> Result<Option<Request>, Response> {
    let until = Instant::now() + ARRIVES_WITHIN;
    let mut bytes = Vec::new();
    let head = loop {
        if let Some(end) = bytes.windows(4).position(|window| window == b"\r\n\r\n") {
            break end + 4;
        }
        if bytes.len() > MAX_HEAD {
            return Err(Response::text(431, "the head of the request is too long"));
        }
        if !read_some(stream, &mut bytes, until)? {
            return if bytes.is_empty() { Ok(None) } else { Err(Response::text(400, "half a request")) };
        }
    };
    let mut request = parse(&bytes[..head])?;
    let length = length_of(&request)?;
    let mut body = bytes.split_off(head);
    while body.len() < length {
        if !read_some(stream, &mut body, until)? {
            return Err(Response::text(400, "half a request"));
        }
    }
    body.truncate(length);
    request.body = body;
    Ok(Some(request))
}

/// Reads what is there; `false` at the end.
fn read_some(stream: &mut TcpStream, into: &mut Vec<u8>, until: Instant) -> Result<bool, Response> {
    let late = || Response::text(408, "the request took too long");
    let left = until.checked_duration_since(Instant::now()).filter(|left| !left.is_zero()).ok_or_else(late)?;
    let mut buffer = [0; 8 << 10];
    let read = stream.set_read_timeout(Some(left)).and_then(|()| stream.read(&mut buffer));
    match read {
        Ok(read) => {
            into.extend_from_slice(&buffer[..read]);
            Ok(read > 0)
        }
        Err(error) if error.kind() == ErrorKind::Interrupted => Ok(true),
        Err(error) if matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut) => Err(late()),
        Err(_) => Ok(false),
    }
}

fn parse(head: &[u8]) -> Result<Request, Response> {
    let bad = |why: &str| Response::text(400, why);
    let mut headers = [httparse::EMPTY_HEADER; MAX_HEADERS];
    let mut parsed = httparse::Request::new(&mut headers);
    match parsed.parse(head) {
        Ok(httparse::Status::Complete(_)) => {}
        _ => return Err(bad("not a request")),
    }
    let mut request = Request {
        method: parsed.method.unwrap_or_default().to_owned(),
        path: parsed.path.unwrap_or_default().split('?').next().unwrap_or_default().to_owned(),
        headers: Vec::new(),
        body: Vec::new(),
    };
    for header in parsed.headers.iter() {
        let name = header.name.to_ascii_lowercase();
        let value = std::str::from_utf8(header.value).map_err(|_| bad("a header that is no text"))?;
        // What decides about a request must not be there twice with two meanings.
        if ["host", "origin", "content-length", "content-type"].contains(&name.as_str())
            && request.header(&name).is_some()
        {
            return Err(bad("a header twice"));
        }
        request.headers.push((name, value.trim().to_owned()));
    }
    Ok(request)
}

fn length_of(request: &Request) -> Result<usize, Response> {
    if request.header("transfer-encoding").is_some() {
        return Err(Response::text(411, "a body needs a content-length"));
    }
    let length = match request.header("content-length") {
        None => 0,
        Some(text) if !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit()) => {
            text.parse().unwrap_or(usize::MAX)
        }
        Some(_) => return Err(Response::text(400, "a content-length that is no number")),
    };
    if length > MAX_BODY {
        return Err(Response::text(413, "the request is too long"));
    }
    Ok(length)
}

fn send(stream: &mut TcpStream, response: &Response) -> std::io::Result<()> {
    let until = Instant::now() + TAKEN_WITHIN;
    let reason = match response.status {
        200 => "OK",
        303 => "See Other",
        400 => "Bad Request",
        403 => "Forbidden",
        404 => "Not Found",
        405 => "Method Not Allowed",
        408 => "Request Timeout",
        409 => "Conflict",
        411 => "Length Required",
        413 => "Content Too Large",
        415 => "Unsupported Media Type",
        421 => "Misdirected Request",
        431 => "Request Header Fields Too Large",
        503 => "Service Unavailable",
        _ => "Internal Server Error",
    };
    let mut head = format!(
        "HTTP/1.1 {} {reason}\r\nContent-Type: {}\r\nContent-Length: {}\r\nConnection: close\r\n\
         Cache-Control: no-store\r\nReferrer-Policy: no-referrer\r\nX-Content-Type-Options: nosniff\r\n\
         X-Frame-Options: DENY\r\nCross-Origin-Opener-Policy: same-origin\r\n\
         Cross-Origin-Resource-Policy: same-origin\r\n",
        response.status,
        response.content_type,
        response.body.len()
    );
    if !response.headers.iter().any(|(name, _)| *name == "Content-Security-Policy") {
        head.push_str("Content-Security-Policy: default-src 'none'; frame-ancestors 'none'\r\n");
    }
    for (name, value) in &response.headers {
        head.push_str(&format!("{name}: {value}\r\n"));
    }
    head.push_str("\r\n");
    for part in [head.as_bytes(), &response.body] {
        for piece in part.chunks(64 << 10) {
            let left = until.checked_duration_since(Instant::now()).filter(|left| !left.is_zero());
            stream.set_write_timeout(Some(left.ok_or(ErrorKind::TimedOut)?))?;
            stream.write_all(piece)?;
        }
    }
    // Closing while something is unread would reset the connection and take the answer with it.
    stream.shutdown(Shutdown::Write)?;
    stream.set_read_timeout(Some(Duration::from_secs(1)))?;
    let mut rest = [0; 8 << 10];
    let mut left = 4 * MAX_BODY;
    while let Ok(read @ 1..) = stream.read(&mut rest) {
        left = left.saturating_sub(read);
        if left == 0 || Instant::now() > until {
            break;
        }
    }
    Ok(())
}
