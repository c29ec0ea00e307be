//! What each element is: by its data type, its control and what happens to it. The other way round is
//! [`crate::xform::types`].

use super::actions::Happenings;
use super::outline::Slot;
use super::tree::Element;
use crate::model::{Metadata, NodeKind};
use crate::xform::types;

/// The data type of a bind, in the words of the ODK XForms specification, "Data Types"; None where it knows no such
/// type. Binds without one are of texts.
pub(super) fn data_type(bind: Option<&Element>) -> Option<&'static str> {
    let written = bind.and_then(|bind| bind.get("type")).unwrap_or("string").trim();
    let name = ["xsd:", "xs:", "xf:"]
        .into_iter()
        .find_map(|prefix| written.strip_prefix(prefix));
    Some(match name.unwrap_or(written) {
        "" | "string" | "text" | "select" | "select1" | "select_one" | "select_multiple" | "anyURI" => "string",
        "int" | "integer" | "long" | "short" => "int",
        "decimal" | "double" | "float" => "decimal",
        "date" => "date",
        "time" => "time",
        "dateTime" | "datetime" => "dateTime",
        "odk:rank" | "rank" => "odk:rank",
        "geopoint" | "gps" => "geopoint",
        "geotrace" => "geotrace",
        "geoshape" => "geoshape",
        "binary" => "binary",
        "barcode" => "barcode",
        _ => return None,
    })
}

/// What an element is that is neither group nor repeat; the lists of selects are still without a name.
pub(super) fn kind(slot: &Slot<'_>, happenings: Option<&Happenings<'_>>) -> NodeKind {
    let data_type = data_type(slot.bind).unwrap_or("string");
    if slot.is_group_label {
        return NodeKind::Note;
    }
    if let Some(happenings) = happenings {
        if happenings.recording.is_some() {
            return NodeKind::Metadata(Metadata::BackgroundAudio);
        }
        if !happenings.located.is_empty() {
            return NodeKind::Metadata(Metadata::BackgroundGeopoint);
        }
        if happenings.starts_located && slot.control.is_none() {
            return NodeKind::Metadata(Metadata::StartGeopoint);
        }
    }
    let list = String::new;
    let Some(control) = slot.control else {
        return unseen(slot, data_type, happenings);
    };
    match control.name.as_str() {
        "select1" => NodeKind::SelectOne { list: list() },
        "select" if data_type == "odk:rank" => NodeKind::Rank { list: list() },
        "select" => NodeKind::SelectMultiple { list: list() },
        "rank" | "odk:rank" => NodeKind::Rank { list: list() },
        "range" => NodeKind::Range,
        "trigger" => NodeKind::Acknowledge,
        "upload" => upload(control),
        _ if control.get("query").is_some() => NodeKind::SelectOneExternal { list: list() },
        _ => {
            let is = |name: &str, value: &str| slot.bind.and_then(|bind| bind.get(name)).map(str::trim) == Some(value);
            let computed = slot.bind.is_some_and(|bind| bind.get("calculate").is_some());
            let is_set = happenings.is_some_and(|found| found.default.is_some() || !found.triggered.is_empty());
            let has_value = computed || is_set || !slot.element.text().trim().is_empty();
            match typed(data_type) {
                Some(kind) => kind,
                None if is("readonly", "true()") && !has_value => NodeKind::Note,
                None => NodeKind::Text,
            }
        }
    }
}

fn typed(data_type: &str) -> Option<NodeKind> {
    Some(match data_type {
        "int" => NodeKind::Integer,
        "decimal" => NodeKind::Decimal,
        "date" => NodeKind::Date,
        "time" => NodeKind::Time,
        "dateTime" => NodeKind::DateTime,
        "geopoint" => NodeKind::Geopoint,
        "geotrace" => NodeKind::Geotrace,
        "geoshape" => NodeKind::Geoshape,
        "barcode" => NodeKind::Barcode,
        _ => return None,
    })
}

fn upload(control: &Element) -> NodeKind {
    let media_type = control.get("mediatype").unwrap_or_default();
    match media_type.split('/').next().unwrap_or_default() {
        "image" => NodeKind::Image,
        "audio" => NodeKind::Audio,
        "video" => NodeKind::Video,
        "osm" => NodeKind::Osm { tags: None },
        _ => NodeKind::File,
    }
}

/// An element without a control.
fn unseen(slot: &Slot<'_>, data_type: &str, happenings: Option<&Happenings<'_>>) -> NodeKind {
    let bind = |name: &str| slot.bind.and_then(|bind| bind.get(name)).map(str::trim);
    if let Some(preload) = bind("jr:preload")
        && let Some(kind) = preloaded(preload, bind("jr:preloadParams").unwrap_or_default())
    {
        return kind;
    }
    let is_triggered = happenings.is_some_and(|found| !found.triggered.is_empty());
    if bind("calculate").is_none() && !is_triggered {
        return NodeKind::Hidden;
    }
    typed(data_type).unwrap_or(NodeKind::Calculate)
}

/// The metadata of a preload.
pub(super) fn preloaded(preload: &str, parameter: &str) -> Option<NodeKind> {
    const ALL: [Metadata; 15] = [
        Metadata::Start,
        Metadata::End,
        Metadata::Today,
        Metadata::DeviceId,
        Metadata::PhoneNumber,
        Metadata::Username,
        Metadata::Email,
        Metadata::SubscriberId,
        Metadata::SimSerial,
        Metadata::UriDeviceId,
        Metadata::UriPhoneNumber,
        Metadata::UriUsername,
        Metadata::UriEmail,
        Metadata::UriSubscriberId,
        Metadata::UriSimSerial,
    ];
    let mut kinds = ALL.into_iter().map(NodeKind::Metadata);
    kinds.find(|kind| types::preload(kind) == Some((preload, parameter)))
}
