//! Numbers for Prometheus.

use std::net::TcpListener;

use crate::plain_http::{self, Answer};

/// Answers those who ask.
pub(super) async fn serve(
    listener: TcpListener,
    text: impl Fn() -> String + Clone + Send + 'static,
) {
    let answer = move |path: &str| match path {
        "/metrics" => Answer {
            is_found: true,
            media_type: "text/plain; version=0.0.4; charset=utf-8",
            body: text(),
        },
        _ => Answer::text(false, "the numbers are at /metrics\n".to_owned()),
    };
    plain_http::serve(listener, answer).await;
}
