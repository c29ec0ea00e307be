//! The two languages that the server speaks.

use axum::http::HeaderMap;
use axum::http::header::ACCEPT_LANGUAGE;
use serde::{Deserialize, Serialize};

/// A language of messages. Vietnamese comes first: it is what is used where nobody asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Language {
    /// Tiếng Việt.
    #[default]
    Vietnamese,
    /// English.
    English,
}

impl Language {
    /// The language that a request asks for (RFC 9110, section 12.5.4): whichever of the two has the higher weight.
    pub fn of_request(headers: &HeaderMap) -> Self {
        let wanted = headers
            .get(ACCEPT_LANGUAGE)
            .and_then(|value| value.to_str().ok())
            .unwrap_or_default();
        let weight = |language: &str| {
            wanted
                .split(',')
                .filter_map(|range| {
                    let mut parts = range.split(';');
                    let tag = parts.next()?.trim();
                    let primary = tag.split('-').next()?;
                    if !primary.eq_ignore_ascii_case(language) {
                        return None;
                    }
                    let quality = parts.find_map(|part| part.trim().strip_prefix("q=")).unwrap_or("1");
                    quality.parse::<f32>().ok()
                })
                .fold(0.0, f32::max)
        };
        if weight("en") > weight("vi") {
            Self::English
        } else {
            Self::Vietnamese
        }
    }

    /// The language's tag (BCP 47).
    pub fn tag(self) -> &'static str {
        match self {
            Self::Vietnamese => "vi",
            Self::English => "en",
        }
    }
}

/// One text in both languages.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Text {
    /// In Vietnamese.
    pub vi: String,
    /// In English.
    pub en: String,
}

impl Text {
    /// A text in both languages.
    pub fn new(vi: impl Into<String>, en: impl Into<String>) -> Self {
        Self {
            vi: vi.into(),
            en: en.into(),
        }
    }

    /// The text in one language.
    pub fn get(&self, language: Language) -> &str {
        match language {
            Language::Vietnamese => &self.vi,
            Language::English => &self.en,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn vietnamese_unless_english_is_wanted_more() {
        let of = |value: &str| {
            let mut headers = HeaderMap::new();
            headers.insert(ACCEPT_LANGUAGE, value.parse().unwrap());
            Language::of_request(&headers)
        };
        assert_eq!(Language::of_request(&HeaderMap::new()), Language::Vietnamese);
        assert_eq!(of("en"), Language::English);
        assert_eq!(of("en-GB,en;q=0.9"), Language::English);
        assert_eq!(of("vi-VN,vi;q=0.9,en;q=0.8"), Language::Vietnamese);
        assert_eq!(of("fr, en;q=0.3"), Language::English);
        assert_eq!(of("rubbish;;q=x,,"), Language::Vietnamese);
    }
}
