//! Server-sent events, as they come.

use super::fault::Fault;

/// One event; only its data matters, since every vendor repeats the name in it.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Parser {
    buffer: Vec<u8>,
    /// Up to here the buffer was handed out.
    done: usize,
    data: Option<Vec<u8>>,
}

impl Parser {
    /// Takes bytes in.
    pub(super) fn push(&mut self, bytes: &[u8]) {
        if self.done > 0 {
            self.buffer.drain(..self.done);
            self.done = 0;
        }
        self.buffer.extend_from_slice(bytes);
    }

    /// The data of the next whole event.
    pub(super) fn next(&mut self) -> Result<Option<String>, Fault> {
        while let Some(length) = self.buffer[self.done..].iter().position(|byte| *byte == b'\n') {
            let line = &self.buffer[self.done..self.done + length];
            let line = line.strip_suffix(b"\r").unwrap_or(line);
            let is_end = line.is_empty();
            take(line, &mut self.data);
            self.done += length + 1;
            if is_end && let Some(data) = self.data.take() {
                return text(data).map(Some);
            }
        }
        Ok(None)
    }

    /// What is left at a clean end: an event whose last blank line was not sent.
    pub(super) fn finish(mut self) -> Result<Option<String>, Fault> {
        let rest = self.buffer.split_off(self.done);
        take(&rest, &mut self.data);
        self.data.map(text).transpose()
    }
}

/// One line of an event.
fn take(line: &[u8], data: &mut Option<Vec<u8>>) {
    let Some(value) = line.strip_prefix(b"data:") else { return };
    let value = value.strip_prefix(b" ").unwrap_or(value);
    match data {
        Some(data) => {
            data.push(b'\n');
            data.extend_from_slice(value);
        }
        None => *data = Some(value.to_vec()),
    }
}

fn text(data: Vec<u8>) -> Result<String, Fault> {
    String::from_utf8(data).map_err(|error| Fault::garbage("an event is not UTF-8").saying(error.as_bytes()))
}

/// Whether a body looks like events, whatever its content type says.
pub(super) fn looks_like_events(body: &[u8]) -> bool {
    let start = body.trim_ascii_start();
    start.starts_with(b"data:") || start.starts_with(b"event:") || start.starts_with(b": ")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn events(chunks: &[&[u8]]) -> Vec<String> {
        let mut parser = Parser::default();
        let mut found = Vec::new();
        for chunk in chunks {
            parser.push(chunk);
            while let Some(event) = parser.next().unwrap() {
                found.push(event);
            }
        }
        found.extend(parser.finish().unwrap());
        found
    }

    #[test]
    fn events_are_the_same_however_they_are_cut() {
        let stream =
            ": hi\r\n\r\nevent: a\ndata: {\"é\":\ndata:1}\n\n\n\ndata: two\r\nid: 7\r\n\r\ndata:three".as_bytes();
        let expected = ["{\"é\":\n1}", "two", "three"];
        assert_eq!(events(&[stream]), expected);
        for size in 1..stream.len() {
            assert_eq!(events(&stream.chunks(size).collect::<Vec<_>>()), expected, "chunks of {size}");
        }
    }

    #[test]
    fn bytes_that_are_no_text_are_refused() {
        let mut parser = Parser::default();
        parser.push(b"data: \xff\n\n");
        assert!(parser.next().is_err());
    }
}
