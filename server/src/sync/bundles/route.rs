//! `POST /api/v1/bundles`: a device brings bundles, one after the other in one body.

use axum::body::Body;
use axum::extract::State;
use axum::http::header::CONTENT_TYPE;
use axum::http::{HeaderMap, StatusCode};
use axum::routing::post;
use axum::{Json, Router};
use sync_core::bundle::{
    BundleAnswer, BundleError, BundleLimits, BundleReader, CarriedRefusal, FailedSection, MEDIA_TYPE,
};
use sync_core::exchange::Limits;
use tokio::runtime::Handle;

use super::TakenBundle;
use crate::app::App;
use crate::devices::Deliverer;
use crate::http::{Language, Problem, Text};
use crate::store::StoreError;
use crate::sync::blocking;

/// Changes that are answered for at once.
const MOST_CHANGES: u64 = 20_000;

/// The routes of this module.
pub(in crate::sync) fn routes() -> Router<App> {
    Router::new().route("/api/v1/bundles", post(bundles))
}

/// Any device of the installation may carry, one too that was revoked: it is the authors who count.
async fn bundles(
    State(app): State<App>,
    _carrier: Deliverer,
    headers: HeaderMap,
    body: Body,
) -> Result<Json<BundleAnswer>, Problem> {
    check_type(&headers)?;
    let language = Language::of_request(&headers);
    let (body, _room) = app.bodies.whole_body(body, &Limits::default()).await?;
    let _turn = app.exchanges.acquire().await.map_err(|_| StoreError::ShuttingDown)?;
    // Opening seals, inflating and verifying keep a core busy for a while, so all of it leaves the threads that serve
    // connections; sections are taken in one after the other, so that one at a time is in memory.
    let (handle, taking) = (Handle::current(), app.clone());
    let answer = blocking(move || handle.block_on(take_all(&taking, &body, language))).await??;
    Ok(Json(answer))
}

/// Takes all bundles of a body in.
async fn take_all(app: &App, body: &[u8], language: Language) -> Result<BundleAnswer, Problem> {
    let key = app.opening_key.as_deref();
    let mut answer = BundleAnswer::default();
    let mut unreadable: Option<Text> = None;
    let mut rest = Some(body);
    let mut number = 0;
    while let Some(bytes) = rest {
        let reader = BundleReader::open(bytes, BundleLimits::default())?;
        for section in 0..reader.section_count() {
            // Also of what inflates well no more is answered for than of a phone's own request.
            if answer.changes >= MOST_CHANGES {
                return Err(too_many());
            }
            let mut taken = TakenBundle::default();
            taken.take_section(&app.store, &reader, section, key).await?;
            if taken.changed {
                app.logged();
            }
            if let Some((_, error)) = taken.failed.first() {
                let detail = Text::new(error.vietnamese(), error.to_string());
                answer.failed_sections.push(FailedSection {
                    bundle: number,
                    section,
                    detail: detail.get(language).to_owned(),
                });
                unreadable.get_or_insert(detail);
            }
            add(&mut answer, taken);
        }
        rest = reader.following();
        number += 1;
    }
    answer.erased.sort_unstable();
    answer.erased.dedup();
    match unreadable {
        Some(detail) if answer.changes == 0 => Err(unreadable_bundle(detail)),
        _ => Ok(answer),
    }
}

fn add(answer: &mut BundleAnswer, taken: TakenBundle) {
    answer.changes += taken.changes;
    answer.new += taken.new;
    answer.known += taken.known;
    answer.waiting += taken.waiting;
    for refused in taken.refused {
        answer.erased.extend(refused.erased);
        answer.refused.push(CarriedRefusal {
            hash: refused.hash.map(|hash| hash.to_string()),
            reason: refused.reason,
            quarantined: refused.quarantined,
        });
    }
}

/// Checks that a request says that it is a bundle.
fn check_type(headers: &HeaderMap) -> Result<(), Problem> {
    let given = headers.get(CONTENT_TYPE).and_then(|value| value.to_str().ok());
    if given.is_some_and(|given| given.eq_ignore_ascii_case(MEDIA_TYPE)) {
        return Ok(());
    }
    Err(Problem::new(
        "unsupported-media-type",
        StatusCode::UNSUPPORTED_MEDIA_TYPE,
        Text::new("Kiểu nội dung không được hỗ trợ", "Unsupported media type"),
        Text::new(
            format!("cần Content-Type: {MEDIA_TYPE}"),
            format!("Content-Type: {MEDIA_TYPE} is needed"),
        ),
    ))
}

fn too_many() -> Problem {
    Problem::new(
        "too-large",
        StatusCode::PAYLOAD_TOO_LARGE,
        Text::new("Gói quá lớn", "The bundle is too large"),
        Text::new(
            format!("có hơn {MOST_CHANGES} thay đổi; phần đã nhận vẫn được giữ, hãy gửi phần còn lại thành nhiều gói"),
            format!(
                "there are more than {MOST_CHANGES} changes; what was taken is kept, send the rest in several bundles"
            ),
        ),
    )
}

fn unreadable_bundle(detail: Text) -> Problem {
    Problem::new(
        "unreadable-bundle",
        StatusCode::UNPROCESSABLE_ENTITY,
        Text::new("Không đọc được gói", "The bundle cannot be read"),
        detail,
    )
}

impl From<BundleError> for Problem {
    fn from(error: BundleError) -> Self {
        let detail = Text::new(error.vietnamese(), error.to_string());
        match error {
            BundleError::TooLarge { .. } => Self::new(
                "too-large",
                StatusCode::PAYLOAD_TOO_LARGE,
                Text::new("Gói quá lớn", "The bundle is too large"),
                detail,
            ),
            BundleError::UnsupportedVersion { .. } => Self::new(
                "unsupported-version",
                StatusCode::BAD_REQUEST,
                Text::new("Phiên bản gói không được hỗ trợ", "Unsupported version of bundles"),
                detail,
            ),
            BundleError::NotABundle { .. }
            | BundleError::Truncated { .. }
            | BundleError::MalformedHeader { .. }
            | BundleError::Signature(_)
            | BundleError::UnusableRecipient
            | BundleError::Wire(_) => Self::new(
                "malformed-bundle",
                StatusCode::BAD_REQUEST,
                Text::new("Không phải gói của Khảo Sát", "No bundle of Khảo Sát"),
                detail,
            ),
        }
    }
}
