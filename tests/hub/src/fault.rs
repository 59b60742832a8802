//! Faults that a test can inject.

use axum::body::{Body, to_bytes};
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use futures_util::{future::ready, stream::once};
use std::sync::Mutex;
use std::time::Duration;

/// A fault in the requests whose "METHOD path" holds a text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fault {
    /// An answer with this status and a body that says so.
    Status(u16),
    /// Too many requests; come back after so many seconds.
    Wait(u64),
    /// The first half of the body, called the whole.
    Short,
    /// A body of the right length with another last byte; the headers stay.
    Wrong,
    /// The connection ends before the answer, after the work was done.
    Lost,
    /// No answer for five seconds.
    Silent,
}

/// The faults of requests, and how often each still occurs.
#[derive(Default)]
pub struct Faults(Mutex<Vec<(Fault, String, usize)>>);

impl Faults {
    /// Lets a fault strike the next `times` requests whose "METHOD path" holds `part`.
    pub fn add(&self, fault: Fault, part: &str, times: usize) {
        self.0.lock().unwrap().push((fault, part.to_string(), times));
    }

    fn take(&self, line: &str, is_early: bool) -> Option<Fault> {
        let mut faults = self.0.lock().unwrap();
        let fits = |fault: Fault| matches!(fault, Fault::Status(_) | Fault::Wait(_)) == is_early;
        let found =
            faults.iter_mut().find(|(fault, part, left)| *left > 0 && line.contains(part.as_str()) && fits(*fault));
        found.map(|(fault, _, left)| {
            *left -= 1;
            *fault
        })
    }

    /// The answer of a fault that occurs before the request is handled.
    pub fn before(&self, line: &str) -> Option<Response> {
        match self.take(line, true)? {
            Fault::Wait(seconds) => {
                Some((StatusCode::TOO_MANY_REQUESTS, [("Retry-After", seconds.to_string())]).into_response())
            }
            Fault::Status(status) => {
                let body = format!("{{\"error\":\"made to fail with {status}\"}}");
                Some((StatusCode::from_u16(status).unwrap(), body).into_response())
            }
            _ => None,
        }
    }

    /// The answer, or what a fault makes of it.
    pub async fn after(&self, line: &str, answer: Response) -> Response {
        // A redirect has no body to damage: what it leads to has.
        if !answer.status().is_success() {
            return answer;
        }
        match self.take(line, false) {
            Some(Fault::Lost) => broken(),
            Some(Fault::Silent) => {
                tokio::time::sleep(Duration::from_secs(5)).await;
                answer
            }
            Some(fault) => damage(answer, fault).await,
            None => answer,
        }
    }
}

/// An answer that breaks off.
fn broken() -> Response {
    let end = once(ready(Err::<Vec<u8>, _>(std::io::Error::other("made to break"))));
    Response::builder().header(header::CONTENT_LENGTH, 1000).body(Body::from_stream(end)).unwrap()
}

async fn damage(answer: Response, fault: Fault) -> Response {
    let (mut parts, body) = answer.into_parts();
    let mut bytes = to_bytes(body, usize::MAX).await.unwrap().to_vec();
    match fault {
        Fault::Short => bytes.truncate(bytes.len() / 2),
        _ => *bytes.last_mut().unwrap() ^= 1,
    }
    parts.headers.insert(header::CONTENT_LENGTH, HeaderValue::from(bytes.len()));
    Response::from_parts(parts, Body::from(bytes))
}
