//! Plain HTTP with what runs on this machine.

use crate::failure::{Context, Failure, Result};
use serde_json::Value;
use std::io::{self, BufRead as _, BufReader, Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::sync::Arc;
use std::thread::{self, sleep};
use std::time::Duration;
use ureq::Agent;
use ureq::http::Request;

/// A server on the loopback.
pub(crate) struct Http {
    base: String,
    agent: Agent,
}

/// What a server answered.
pub(crate) struct Answer {
    /// The status code.
    pub(crate) status: u16,
    /// The body, as it came.
    pub(crate) text: String,
}

impl Answer {
    /// The body as JSON.
    pub(crate) fn json(&self) -> Result<Value> {
        serde_json::from_str(&self.text).context("an answer that should be JSON")
    }

    /// The body as JSON, if the server did what it was asked.
    pub(crate) fn ok(self, what: &str) -> Result<Value> {
        if !(200..300).contains(&self.status) {
            return Err(Failure::new(format!("{what}: {} {}", self.status, self.text.trim())));
        }
        self.json()
    }
}

impl Http {
    /// A server at a port.
    pub(crate) fn at(port: u16) -> Self {
        let config = Agent::config_builder()
            .http_status_as_error(false)
            .timeout_global(Some(Duration::from_secs(60)))
            .proxy(None)
            .build();
        Self { base: format!("http://127.0.0.1:{port}"), agent: config.into() }
    }

    /// Where it is.
    pub(crate) fn address(&self) -> &str {
        &self.base
    }

    pub(crate) fn get(&self, path: &str) -> Result<Answer> {
        self.send("GET", path, "application/json", "")
    }

    /// Sends a body that is already text, again when the server asks for a moment.
    pub(crate) fn send(&self, method: &str, path: &str, content_type: &str, body: &str) -> Result<Answer> {
        let mut answer = self.send_once(method, path, content_type, body)?;
        for _ in 0..30 {
            if answer.status != 429 {
                break;
            }
            sleep(Duration::from_secs(1));
            answer = self.send_once(method, path, content_type, body)?;
        }
        Ok(answer)
    }

    fn send_once(&self, method: &str, path: &str, content_type: &str, body: &str) -> Result<Answer> {
        let url = format!("{}{path}", self.base);
        let mut request = Request::builder().method(method).uri(&url).header("accept", "application/json");
        if !body.is_empty() {
            request = request.header("content-type", content_type);
        }
        let request = request.body(body.to_owned()).context(&url)?;
        let mut response = self.agent.run(request).context(&url)?;
        let status = response.status().as_u16();
        let body = response.body_mut().with_config().limit(1 << 28);
        Ok(Answer { status, text: body.read_to_string().context(&url)? })
    }

    /// Whether it answers a path with 200.
    pub(crate) fn is_ok(&self, path: &str) -> bool {
        self.get(path).is_ok_and(|answer| answer.status == 200)
    }
}

/// What programs of a stack ask and tell: every call gets the text that is made of its path and its body.
///
/// It answers until this program ends. Returns its port.
pub(crate) fn serve(answer: impl Fn(&str, &str) -> String + Send + Sync + 'static) -> Result<u16> {
    let listener = TcpListener::bind("127.0.0.1:0").context("a port to listen on")?;
    let port = listener.local_addr().context("a port to listen on")?.port();
    let answer = Arc::new(answer);
    thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            let answer = answer.clone();
            // Who hangs up gets no answer.
            thread::spawn(move || serve_one(stream, &*answer));
        }
    });
    Ok(port)
}

fn serve_one(stream: TcpStream, answer: &(impl Fn(&str, &str) -> String + ?Sized)) -> io::Result<()> {
    let mut reader = BufReader::new(stream);
    let mut line = String::new();
    reader.read_line(&mut line)?;
    let path = line.split(' ').nth(1).unwrap_or_default().to_owned();
    let mut length = 0;
    loop {
        line.clear();
        reader.read_line(&mut line)?;
        let Some((name, value)) = line.split_once(':') else { break };
        if name.eq_ignore_ascii_case("content-length") {
            length = value.trim().parse().unwrap_or(0);
        }
    }
    let mut body = Vec::new();
    reader.by_ref().take(length).read_to_end(&mut body)?;
    let text = answer(&path, &String::from_utf8_lossy(&body));
    let head = format!(
        "HTTP/1.1 200 OK\r\ncontent-type: text/plain; version=0.0.4\r\ncontent-length: {}\r\nconnection: close\r\n\r\n",
        text.len()
    );
    let mut stream = reader.into_inner();
    stream.write_all(head.as_bytes())?;
    stream.write_all(text.as_bytes())
}

/// A text as part of a query.
pub(crate) fn encoded(text: &str) -> String {
    let encode = |byte: u8| match byte {
        b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' => char::from(byte).to_string(),
        _ => format!("%{byte:02X}"),
    };
    text.bytes().map(encode).collect()
}
