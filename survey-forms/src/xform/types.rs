//! How each kind of row is written: its data type, its control, and what its parameters become.

use crate::model::{FormNode, Metadata, NodeKind, scale};

/// The data type in the bind (ODK XForms, "Data Types").
pub(super) fn data_type(node: &FormNode) -> &'static str {
    match &node.kind {
        NodeKind::Integer => "int",
        NodeKind::Range if !scale::has_fractions(node) => "int",
        NodeKind::Decimal | NodeKind::Range => "decimal",
        NodeKind::Date | NodeKind::Metadata(Metadata::Today) => "date",
        NodeKind::Time => "time",
        NodeKind::DateTime | NodeKind::Metadata(Metadata::Start | Metadata::End) => "dateTime",
        NodeKind::Rank { .. } => "odk:rank",
        NodeKind::Geopoint | NodeKind::Metadata(Metadata::StartGeopoint | Metadata::BackgroundGeopoint) => "geopoint",
        NodeKind::Geotrace => "geotrace",
        NodeKind::Geoshape => "geoshape",
        NodeKind::Image
        | NodeKind::Audio
        | NodeKind::Video
        | NodeKind::File
        | NodeKind::Osm { .. }
        | NodeKind::Metadata(Metadata::Audit | Metadata::BackgroundAudio) => "binary",
        NodeKind::Barcode => "barcode",
        _ => "string",
    }
}

/// What the device fills in when a form is opened: `jr:preload` and its parameter (ODK XForms, "Preload Attributes").
pub(super) fn preload(kind: &NodeKind) -> Option<(&'static str, &'static str)> {
    let NodeKind::Metadata(metadata) = kind else {
        return None;
    };
    Some(match metadata {
        Metadata::Start => ("timestamp", "start"),
        Metadata::End => ("timestamp", "end"),
        Metadata::Today => ("date", "today"),
        Metadata::DeviceId => ("property", "deviceid"),
        Metadata::PhoneNumber => ("property", "phonenumber"),
        Metadata::Username => ("property", "username"),
        Metadata::Email => ("property", "email"),
        Metadata::SubscriberId => ("property", "subscriberid"),
        Metadata::SimSerial => ("property", "simserial"),
        Metadata::UriDeviceId => ("property", "uri:deviceid"),
        Metadata::UriPhoneNumber => ("property", "uri:phonenumber"),
        Metadata::UriUsername => ("property", "uri:username"),
        Metadata::UriEmail => ("property", "uri:email"),
        Metadata::UriSubscriberId => ("property", "uri:subscriberid"),
        Metadata::UriSimSerial => ("property", "uri:simserial"),
        Metadata::Audit | Metadata::StartGeopoint | Metadata::BackgroundGeopoint | Metadata::BackgroundAudio => {
            return None;
        }
    })
}

/// The element of the body that asks the question; none for rows that are not shown.
pub(super) fn control(kind: &NodeKind) -> Option<&'static str> {
    Some(match kind {
        NodeKind::SelectOne { .. } => "select1",
        NodeKind::SelectMultiple { .. } => "select",
        NodeKind::Rank { .. } => "odk:rank",
        NodeKind::Range => "range",
        NodeKind::Acknowledge | NodeKind::Metadata(Metadata::BackgroundGeopoint) => "trigger",
        NodeKind::Image | NodeKind::Audio | NodeKind::Video | NodeKind::File | NodeKind::Osm { .. } => "upload",
        NodeKind::Calculate
        | NodeKind::Hidden
        | NodeKind::Metadata(_)
        | NodeKind::ExternalData(_)
        | NodeKind::Group
        | NodeKind::Repeat => return None,
        _ => "input",
    })
}

/// The kind of files that an `upload` takes.
pub(super) fn media_type(kind: &NodeKind) -> Option<&'static str> {
    Some(match kind {
        NodeKind::Image => "image/*",
        NodeKind::Audio => "audio/*",
        NodeKind::Video => "video/*",
        NodeKind::File => "application/*",
        NodeKind::Osm { .. } => "osm/*",
        _ => return None,
    })
}

/// Whether the question is asked in the body.
pub(super) fn is_shown(node: &FormNode) -> bool {
    control(&node.kind).is_some() && node.is_visible()
}

/// The value in an empty form.
pub(super) fn static_default(node: &FormNode) -> Option<String> {
    default(node).filter(|_| !node.has_dynamic_default())
}

/// The default as it is written: that of a picture names a file that comes with the form.
pub(super) fn default(node: &FormNode) -> Option<String> {
    const PICTURES: &str = "jr://images/";
    let default = node.default.as_deref()?;
    let is_file = node.kind == NodeKind::Image && !default.contains(PICTURES);
    Some(if is_file {
        format!("{PICTURES}{default}")
    } else {
        default.to_owned()
    })
}

/// The parameters that become attributes of the bind, with the attribute's name.
pub(super) fn bind_parameters(node: &FormNode) -> impl Iterator<Item = (String, &str)> {
    let attribute = |name: &str| match (&node.kind, name) {
        (NodeKind::Metadata(Metadata::Audit), _) | (NodeKind::Audio, "quality") => Some(format!("odk:{name}")),
        (NodeKind::Image, "max-pixels") => Some(format!("orx:{name}")),
        (NodeKind::Geopoint | NodeKind::Geotrace | NodeKind::Geoshape, "allow-mock-accuracy") => {
            Some(format!("odk:{name}"))
        }
        _ => None,
    };
    let found = node.parameters.iter();
    found.filter_map(move |(name, value)| Some((attribute(name)?, value.as_str())))
}

/// The parameters that become attributes of the control, with the attribute's name.
pub(super) fn control_parameters(node: &FormNode) -> Vec<(&str, &str)> {
    let given = |name: &str| node.parameters.get(name).map(String::as_str);
    let simple: &[(&str, &str)] = match &node.kind {
        NodeKind::Text => &[("rows", "rows")],
        NodeKind::Geopoint => &[
            ("capture-accuracy", "accuracyThreshold"),
            ("warning-accuracy", "unacceptableAccuracyThreshold"),
        ],
        NodeKind::Image if matches!(node.appearance.as_deref(), None | Some("annotate")) => &[("app", "intent")],
        NodeKind::Range => &[
            ("tick_interval", "odk:tick-interval"),
            ("placeholder", "odk:placeholder"),
        ],
        _ => &[],
    };
    let mut found: Vec<(&str, &str)> = simple
        .iter()
        .filter_map(|(name, attribute)| Some((*attribute, given(name)?)))
        .collect();
    match node.kind {
        NodeKind::Range => found.extend([
            ("start", given("start").unwrap_or(scale::DEFAULT_START)),
            ("end", given("end").unwrap_or(scale::DEFAULT_END)),
            ("step", given("step").unwrap_or(scale::DEFAULT_STEP)),
        ]),
        NodeKind::Geotrace | NodeKind::Geoshape if given("incremental").is_some() => {
            found.push(("incremental", "true"));
        }
        _ => {}
    }
    found
}
