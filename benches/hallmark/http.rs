//! The least HTTP/1.1 that a load generator needs: requests written by hand, answers read up to their length.
//!
//! The generator shares two cores with what it measures, so it does nothing that it need not: no parsing beyond the status and the
//! length of the body.

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

/// A connection that is kept alive.
pub(crate) struct Connection {
    stream: TcpStream,
    buffer: Vec<u8>,
}

impl Connection {
    pub(crate) async fn open(authority: &str) -> Self {
        let stream = TcpStream::connect(authority).await.unwrap();
        stream.set_nodelay(true).unwrap();
        Self { stream, buffer: Vec::with_capacity(64 << 10) }
    }

    /// Sends a request and reads the whole answer; panics on any status but 200.
    pub(crate) async fn exchange(&mut self, request: &[u8]) -> Vec<u8> {
        let body = self.answer_to(request).await;
        self.buffer[body..].to_vec()
    }

    /// The same, with only the length of the body.
    pub(crate) async fn measure(&mut self, request: &[u8]) -> usize {
        let body = self.answer_to(request).await;
        self.buffer.len() - body
    }

    /// Leaves the answer in the buffer and says where its body begins.
    async fn answer_to(&mut self, request: &[u8]) -> usize {
        self.stream.write_all(request).await.unwrap();
        self.buffer.clear();
        let mut wanted = None;
        loop {
            let read = self.stream.read_buf(&mut self.buffer).await.unwrap();
            assert!(read > 0, "the server hung up");
            if wanted.is_none() {
                wanted = extent(&self.buffer);
            }
            if let Some((body, length)) = wanted
                && self.buffer.len() >= body + length
            {
                return body;
            }
        }
    }
}

/// Where the body begins and how long it is, once the head of the answer is there.
fn extent(answer: &[u8]) -> Option<(usize, usize)> {
    let body = answer.windows(4).position(|four| four == b"\r\n\r\n")? + 4;
    let head = std::str::from_utf8(&answer[..body]).unwrap();
    assert!(head.starts_with("HTTP/1.1 200"), "{}", String::from_utf8_lossy(answer));
    let length = head.lines().find_map(|line| {
        let (name, value) = line.split_once(':')?;
        name.eq_ignore_ascii_case("content-length").then(|| value.trim().parse().unwrap())
    });
    Some((body, length.expect("every answer says how long it is")))
}

pub(crate) fn get(authority: &str, path: &str) -> Vec<u8> {
    format!("GET {path} HTTP/1.1\r\nhost: {authority}\r\n\r\n").into_bytes()
}

pub(crate) fn post(authority: &str, path: &str, body: &str) -> Vec<u8> {
    let length = body.len();
    let head =
        format!("POST {path} HTTP/1.1\r\nhost: {authority}\r\ncontent-type: application/json");
    format!("{head}\r\ncontent-length: {length}\r\n\r\n{body}").into_bytes()
}
