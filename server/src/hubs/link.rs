//! HTTPS to the upstream.

use std::sync::Arc;
use std::time::Duration;

use serde::Deserialize;
use sync_core::exchange::{Limits, wire};
use ureq::tls::{RootCerts, TlsConfig};
use ureq::{Agent, Body};

use super::error::HubError;

/// How long an exchange may take.
const TIMEOUT: Duration = Duration::from_secs(300);
/// How long a connection may take to be made.
const CONNECT: Duration = Duration::from_secs(20);
/// Bytes of an answer in JSON at most.
const JSON_BYTES: u64 = 1 << 20;

/// A way to reach the upstream. Cloning it is cheap.
#[derive(Debug, Clone)]
pub(super) struct Link {
    agent: Agent,
    address: String,
}

impl Link {
    /// To this address: `https://` and a host; `http://` only for this machine itself, since answers and the token must
    /// not travel in the clear.
    pub(super) fn to(address: &str) -> Result<Self, HubError> {
        let address = address.trim_end_matches('/');
        if !is_safe(address) {
            return Err(HubError::Address {
                address: address.to_owned(),
            });
        }
        let tls = TlsConfig::builder()
            .root_certs(RootCerts::PlatformVerifier)
            .unversioned_rustls_crypto_provider(Arc::new(rustls::crypto::ring::default_provider()))
            .build();
        let agent = Agent::config_builder()
            .tls_config(tls)
            .http_status_as_error(false)
            .max_redirects(0)
            .timeout_global(Some(TIMEOUT))
            .timeout_connect(Some(CONNECT))
            .build()
            .into();
        Ok(Self {
            agent,
            address: address.to_owned(),
        })
    }

    /// The address without a slash at its end.
    pub(super) fn address(&self) -> &str {
        &self.address
    }

    /// Sends a message and reads the answer's bytes. It blocks.
    pub(super) fn exchange(&self, token: &str, message: &[u8], limits: &Limits) -> Result<Vec<u8>, HubError> {
        let request = self
            .agent
            .post(format!("{}/api/v1/forward", self.address))
            .header("authorization", format!("Bearer {token}"))
            .header("content-type", wire::CONTENT_TYPE)
            .header("content-encoding", wire::CONTENT_ENCODING);
        let answer = request.send(message).map_err(|error| self.unreachable(&error))?;
        self.body(answer, limits.compressed_bytes as u64)
    }

    /// Sends JSON and reads an answer in JSON. It blocks.
    pub(super) fn post_json(&self, path: &str, json: &str) -> Result<Vec<u8>, HubError> {
        let request = self
            .agent
            .post(format!("{}{path}", self.address))
            .header("content-type", "application/json");
        let answer = request.send(json).map_err(|error| self.unreachable(&error))?;
        self.body(answer, JSON_BYTES)
    }

    /// Reads something of at most so many bytes. It blocks.
    pub(super) fn get(&self, token: &str, path: &str, limit: u64) -> Result<Vec<u8>, HubError> {
        let request = self
            .agent
            .get(format!("{}{path}", self.address))
            .header("authorization", format!("Bearer {token}"));
        let answer = request.call().map_err(|error| self.unreachable(&error))?;
        self.body(answer, limit)
    }

    fn body(&self, mut answer: ureq::http::Response<Body>, limit: u64) -> Result<Vec<u8>, HubError> {
        let status = answer.status();
        let body = answer.body_mut().with_config().limit(limit).read_to_vec();
        let body = body.map_err(|error| self.unreachable(&error))?;
        if status.is_success() {
            return Ok(body);
        }
        let problem: Option<ProblemDetails> = serde_json::from_slice(&body).ok();
        Err(HubError::Refused {
            address: self.address.clone(),
            status: status.as_u16(),
            detail: problem.map_or_else(String::new, |problem| format!("{}: {}", problem.title, problem.detail)),
        })
    }

    fn unreachable(&self, error: &ureq::Error) -> HubError {
        HubError::Unreachable {
            address: self.address.clone(),
            reason: error.to_string(),
        }
    }
}

/// What is used of a problem (RFC 9457).
#[derive(Deserialize)]
struct ProblemDetails {
    title: String,
    detail: String,
}

fn is_safe(address: &str) -> bool {
    if address.strip_prefix("https://").is_some_and(|host| !host.is_empty()) {
        return true;
    }
    let uri: Option<ureq::http::Uri> = address.starts_with("http://").then(|| address.parse().ok()).flatten();
    uri.is_some_and(|uri| match uri.host() {
        Some("localhost") => true,
        Some(host) => {
            let host = host.trim_start_matches('[').trim_end_matches(']');
            host.parse().is_ok_and(|host: std::net::IpAddr| host.is_loopback())
        }
        None => false,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn answers_do_not_leave_the_machine_in_the_clear() {
        for safe in [
            "https://khaosat.tiengiang.gov.vn",
            "https://10.0.0.1:8443/",
            "http://127.0.0.1:8394",
            "http://localhost:1",
            "http://[::1]:1",
        ] {
            assert!(Link::to(safe).is_ok(), "{safe}");
        }
        for unsafe_address in [
            "http://khaosat.tiengiang.gov.vn",
            "http://10.0.0.1:8394",
            "http://127.0.0.1.example",
            "http://localhost@example.vn",
            "https://",
            "ftp://127.0.0.1",
            "127.0.0.1:8394",
            "",
        ] {
            assert!(
                matches!(Link::to(unsafe_address), Err(HubError::Address { .. })),
                "{unsafe_address}"
            );
        }
    }
}
