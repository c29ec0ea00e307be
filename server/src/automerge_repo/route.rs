//! `GET /api/v1/automerge`.

use axum::Router;
use axum::extract::State;
use axum::extract::ws::WebSocketUpgrade;
use axum::extract::ws::rejection::WebSocketUpgradeRejection;
use axum::http::{HeaderMap, StatusCode};
use axum::response::Response;
use axum::routing::get;

use super::connection;
use crate::app::App;
use crate::devices::{Caller, Token};
use crate::http::{Language, Problem, Text};

/// The routes of this module.
pub fn routes() -> Router<App> {
    Router::new().route("/api/v1/automerge", get(open))
}

async fn open(
    State(app): State<App>,
    token: Token,
    headers: HeaderMap,
    upgrade: Result<WebSocketUpgrade, WebSocketUpgradeRejection>,
) -> Result<Response, Problem> {
    let caller = Caller::of_token(&app.store.readers, &token).await?;
    let upgrade = upgrade.map_err(|rejection| {
        Problem::new(
            "websocket-needed",
            StatusCode::BAD_REQUEST,
            Text::new("Cần kết nối WebSocket", "A WebSocket is needed"),
            Text::new(
                format!("Địa chỉ này chỉ nhận kết nối WebSocket (RFC 6455): {rejection}"),
                format!("This address takes WebSocket connections only (RFC 6455): {rejection}"),
            ),
        )
    })?;
    let viewer = app.viewers.admit(caller.device_key).ok_or_else(|| {
        Problem::new(
            "too-many-connections",
            StatusCode::SERVICE_UNAVAILABLE,
            Text::new("Quá nhiều kết nối", "Too many connections"),
            Text::new(
                "Đã có quá nhiều kết nối xem trực tiếp; hãy đóng bớt hoặc thử lại sau.",
                "Too many connections look in live already; close some or try again later.",
            ),
        )
    })?;
    let language = Language::of_request(&headers);
    Ok(upgrade
        .max_message_size(connection::UNREAD_BYTES)
        .max_frame_size(connection::UNREAD_BYTES)
        .on_upgrade(move |socket| async move {
            connection::run(socket, &app, &token, language).await;
            drop(viewer);
        }))
}
