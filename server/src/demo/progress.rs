//! What the demo shows while it runs.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use indicatif::{MultiProgress, ProgressBar, ProgressDrawTarget, ProgressStyle};

/// Counters and bars, shared by all volunteers. They go to standard error.
#[derive(Clone)]
pub(super) struct Progress {
    enrolled: ProgressBar,
    interviewed: ProgressBar,
    acknowledged: ProgressBar,
    counts: Arc<Counts>,
}

#[derive(Debug, Default)]
struct Counts {
    broken: AtomicU64,
    sent_bytes: AtomicU64,
}

impl Progress {
    /// Bars for so many phones and households.
    pub(super) fn new(phones: u64, households: u64) -> Self {
        let bars = MultiProgress::with_draw_target(ProgressDrawTarget::stderr());
        let style =
            |template: &str| ProgressStyle::with_template(template).unwrap_or_else(|_| ProgressStyle::default_bar());
        let bar = |length, text: &'static str| {
            let bar = bars.add(ProgressBar::new(length));
            bar.set_style(style("{msg:42} {wide_bar} {pos:>7}/{len}"));
            bar.set_message(text);
            bar
        };
        let enrolled = bar(phones, "Điện thoại đã đăng ký (phones enrolled)");
        let interviewed = bar(households, "Hộ đã đến thăm (households visited)");
        let acknowledged = bars.add(ProgressBar::new_spinner());
        acknowledged.set_style(style("{msg:42} {pos}, {per_sec}"));
        acknowledged.set_message("Thay đổi đã lưu chắc (changes durable)");
        Self {
            enrolled,
            interviewed,
            acknowledged,
            counts: Arc::default(),
        }
    }

    pub(super) fn enrolled(&self) {
        self.enrolled.inc(1);
    }

    pub(super) fn interviewed(&self) {
        self.interviewed.inc(1);
    }

    pub(super) fn acknowledged(&self, changes: usize) {
        self.acknowledged.inc(changes as u64);
    }

    pub(super) fn sent(&self, bytes: usize) {
        self.counts.sent_bytes.fetch_add(bytes as u64, Ordering::Relaxed);
    }

    pub(super) fn broke(&self) {
        self.counts.broken.fetch_add(1, Ordering::Relaxed);
    }

    /// Ends the bars and says what happened on the way.
    pub(super) fn finish(&self) {
        for bar in [&self.enrolled, &self.interviewed, &self.acknowledged] {
            bar.finish();
        }
        let (broken, sent) = (
            self.counts.broken.load(Ordering::Relaxed),
            self.counts.sent_bytes.load(Ordering::Relaxed),
        );
        eprintln!(
            "{} thay đổi đã lưu, {sent} byte đã gửi, {broken} lần đứt kết nối ({} changes, {sent} bytes, {broken} broken connections)",
            self.acknowledged.position(),
            self.acknowledged.position(),
        );
    }
}
