//! One request at a time over HTTP: the program's only network.

use std::io::Read;
use std::time::Duration;

/// How long a server may keep silent.
const PATIENCE: Duration = Duration::from_mins(1);

/// A client that follows no redirect by itself.
pub(super) struct Client {
    agent: ureq::Agent,
}

/// What a server said, with the body still to be read.
pub(super) struct Answer {
    pub(super) status: u16,
    headers: ureq::http::HeaderMap,
    pub(super) body: Box<dyn Read + Send>,
}

impl Client {
    pub(super) fn new() -> Self {
        let config = ureq::Agent::config_builder()
            .user_agent(concat!("clove/", env!("CARGO_PKG_VERSION")))
            // Headers of a hub's own answer, before the redirect to its store, tell the checksum.
            .max_redirects(0)
            .max_redirects_will_error(false)
            .http_status_as_error(false)
            .timeout_connect(Some(PATIENCE))
            .timeout_recv_response(Some(PATIENCE))
            .timeout_per_read(Some(PATIENCE))
            .build();
        Self { agent: config.into() }
    }

    /// Asks for `url`.
    ///
    /// # Errors
    /// A clause: why there was no answer.
    pub(super) fn get(&self, url: &str, headers: &[(&str, String)]) -> Result<Answer, String> {
        let request = headers.iter().fold(self.agent.get(url), |request, (name, value)| request.header(*name, value));
        let (parts, body) = request.call().map_err(|error| error.to_string())?.into_parts();
        let body = body.into_with_config().limit(u64::MAX).reader();
        Ok(Answer { status: parts.status.as_u16(), headers: parts.headers, body: Box::new(body) })
    }
}

impl Answer {
    /// A header's text.
    pub(super) fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name)?.to_str().ok()
    }

    /// Bytes that this answer announces.
    pub(super) fn length(&self) -> Option<u64> {
        self.header("content-length")?.trim().parse().ok()
    }
}
