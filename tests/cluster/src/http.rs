//! Plain HTTP with what runs on this machine.

use crate::failure::{Context, Failure, Result};
use serde_json::Value;
use std::thread::sleep;
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

/// A text as part of a query.
pub(crate) fn encoded(text: &str) -> String {
    let encode = |byte: u8| match byte {
        b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' => char::from(byte).to_string(),
        _ => format!("%{byte:02X}"),
    };
    text.bytes().map(encode).collect()
}
