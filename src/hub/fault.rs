//! Errors of requests to a Hub, without secrets in their text.

use super::{Address, Hub};
use crate::Error;
use hf_hub::HFError;
use std::time::Duration;

/// Longest wait that a server may ask for.
pub(super) const LONGEST_WAIT: Duration = Duration::from_secs(300);

/// How long to wait after too many requests where the crate does not say: the Hub counts requests in windows of minutes.
const WINDOW: Duration = Duration::from_secs(60);

/// What can be done after a failure.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Remedy {
    /// The same request may work after this long.
    Wait(Duration),
    /// The branch has moved.
    Moved,
    /// None.
    GiveUp,
}

/// Whether asking again can help.
pub(super) fn remedy(error: &HFError, pause: Duration) -> Remedy {
    match error {
        HFError::RateLimited { retry_after, .. } => match retry_after.unwrap_or(WINDOW) {
            wait if wait <= LONGEST_WAIT => Remedy::Wait(wait),
            _ => Remedy::GiveUp,
        },
        HFError::Http { context } if context.status.as_u16() == 412 => Remedy::Moved,
        HFError::Conflict { .. } => Remedy::Moved,
        HFError::Http { context } if is_passing(context.status) => Remedy::Wait(pause),
        HFError::Request { .. } | HFError::Xet { .. } => Remedy::Wait(pause),
        _ => Remedy::GiveUp,
    }
}

/// Whether a status says that the same request may succeed later.
pub(super) fn is_passing(status: reqwest::StatusCode) -> bool {
    matches!(status.as_u16(), 408 | 429) || status.is_server_error()
}

/// How long a server asks to wait, in seconds: `Retry-After: 55`, or the Hub's `RateLimit: "api";r=0;t=55`.
pub(super) fn asked_wait(headers: &reqwest::header::HeaderMap) -> Option<Duration> {
    let header = |name: &str| headers.get(name)?.to_str().ok();
    let after = header("retry-after").and_then(|seconds| seconds.trim().parse().ok());
    let window = || header("ratelimit")?.split(';').find_map(|part| part.trim().strip_prefix("t=")?.parse().ok());
    after.or_else(window).map(Duration::from_secs)
}

/// A transport error without the address of the request: that of a storage server is signed.
pub(super) fn transport(error: reqwest::Error) -> String {
    chain(&without_address(&error))
}

impl Hub {
    /// An error of a request about `address`.
    pub(super) fn fault(&self, address: &Address, error: &HFError) -> Error {
        let (expected, found) = explain(error, self.config().token.is_some());
        self.error(address, expected, found)
    }

    /// An error about `address`, without the token.
    pub(super) fn error(&self, address: &Address, expected: impl ToString, found: impl ToString) -> Error {
        let (expected, found) = (self.hide(&expected.to_string()), self.hide(&found.to_string()));
        Error::Hub { address: address.to_string(), expected, found }
    }
}

/// Addresses of requests stay out of the text: those of storage servers are signed.
fn explain(error: &HFError, has_token: bool) -> (String, String) {
    match error {
        HFError::AuthRequired { context } if context.error_code.as_deref() == Some("RepoNotFound") && !has_token => {
            ("a repository".into(), "none of this name, or a private one and no token (HF_TOKEN)".into())
        }
        HFError::AuthRequired { context } => {
            let token = if has_token { "a token that was refused" } else { "no token (HF_TOKEN)" };
            ("a repository that may be read or written".into(), format!("{} with {token}", context.status))
        }
        HFError::Forbidden { context } => {
            ("a token with the right to do this".into(), said(context.status, &context.server_message))
        }
        // The crate calls a repository that is not there a missing revision of it; the server's own message is right.
        HFError::RevisionNotFound { context: Some(context), .. }
        | HFError::EntryNotFound { context: Some(context), .. }
            if context.error_code.as_deref() == Some("RepoNotFound") =>
        {
            ("a repository".into(), "none of this name, or a private one".into())
        }
        HFError::RepoNotFound { .. } => ("a repository".into(), "none of this name, or a private one".into()),
        HFError::RevisionNotFound { revision, .. } => ("a revision of it".into(), format!("no `{revision}`")),
        HFError::EntryNotFound { path, .. } => ("a file of it, at this revision".into(), format!("no `{path}`")),
        HFError::RateLimited { retry_after, .. } => {
            let wait = retry_after.map_or(String::new(), |wait| format!(", wait {} s", wait.as_secs()));
            ("an answer".into(), format!("too many requests{wait}"))
        }
        HFError::LocalEntryNotFound { .. } => {
            ("a copy in the cache, since this is offline".into(), "none; download it once while online".into())
        }
        HFError::Http { context } if context.status.as_u16() == 412 => {
            ("the branch as it was read".into(), "a commit by another user in between".into())
        }
        HFError::Http { context } | HFError::Conflict { context } => {
            ("success".into(), said(context.status, &context.server_message))
        }
        HFError::Request { source, .. } => ("an answer".into(), chain(&without_address(source))),
        HFError::Xet { operation, source } => {
            ("a transfer".into(), format!("{operation} failed: {}", chain(&**source)))
        }
        other => ("success".into(), other.to_string()),
    }
}

/// A status and what the server says of it.
fn said(status: reqwest::StatusCode, message: &Option<String>) -> String {
    message.as_ref().map_or(status.to_string(), |message| format!("{status}: {message}"))
}

/// A transport error without the address in it.
fn without_address(error: &reqwest::Error) -> impl std::error::Error {
    let mut text = match error {
        _ if error.is_timeout() => "a time-out".to_string(),
        _ if error.is_connect() => "no connection".to_string(),
        _ => "a broken connection".to_string(),
    };
    let mut source = std::error::Error::source(error);
    while let Some(inner) = source {
        text = format!("{text}: {inner}");
        source = inner.source();
    }
    std::io::Error::other(text)
}

/// An error with its causes.
fn chain(error: &dyn std::error::Error) -> String {
    let (mut text, mut source) = (error.to_string(), error.source());
    while let Some(inner) = source {
        if !text.contains(&inner.to_string()) {
            text = format!("{text}: {inner}");
        }
        source = inner.source();
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use reqwest::header::{HeaderMap, HeaderName, HeaderValue};

    #[test]
    fn wait_is_read_from_both_headers() {
        let asked = |name: &'static str, value: &'static str| {
            let mut headers = HeaderMap::new();
            headers.insert(HeaderName::from_static(name), HeaderValue::from_static(value));
            asked_wait(&headers).map(|wait| wait.as_secs())
        };
        assert_eq!(asked("retry-after", " 7 "), Some(7));
        assert_eq!(asked("ratelimit", "\"api\";r=0;t=55"), Some(55));
        assert_eq!(asked("retry-after", "Wed, 21 Oct 2026 07:28:00 GMT"), None);
        assert_eq!(asked("ratelimit", "\"api\";r=0"), None);
    }

    #[test]
    fn remedy_retries_only_passing_errors() {
        let passing = [408, 429, 500, 503].map(|status| is_passing(reqwest::StatusCode::from_u16(status).unwrap()));
        let lasting =
            [400, 401, 403, 404, 412].map(|status| is_passing(reqwest::StatusCode::from_u16(status).unwrap()));
        assert!(passing.iter().all(|is| *is) && lasting.iter().all(|is| !is));
    }
}
