//! What a row of the `survey` sheet is.

use serde::{Deserialize, Serialize};

use super::choices::ChoiceSource;

/// What a row of the `survey` sheet is (XLSForm reference, "Question types").
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum NodeKind {
    /// Free text.
    Text,
    /// A whole number.
    Integer,
    /// A number with a fraction.
    Decimal,
    /// A number from a scale; `parameters` name its `start`, `end` and `step`.
    Range,
    /// A day, `YYYY-MM-DD`.
    Date,
    /// A time of day, `HH:MM:SS.sss+HH:MM`.
    Time,
    /// A day and time of day.
    DateTime,
    /// One choice of the list.
    SelectOne {
        /// The list as written: a name, a file's name or a `${question}`; see [`ChoiceSource`].
        list: String,
    },
    /// Any number of choices of the list.
    SelectMultiple {
        /// The list as written; see [`ChoiceSource`].
        list: String,
    },
    /// One choice of a list of the `external_choices` sheet.
    SelectOneExternal {
        /// The list's name.
        list: String,
    },
    /// The choices of the list in the order of preference.
    Rank {
        /// The list as written; see [`ChoiceSource`].
        list: String,
    },
    /// A point, `latitude longitude altitude accuracy`, in degrees and metres.
    Geopoint,
    /// A line: points separated by `;`.
    Geotrace,
    /// An area: points separated by `;`, the last the same as the first.
    Geoshape,
    /// A picture, by the name of its file.
    Image,
    /// A recording, by the name of its file.
    Audio,
    /// A film, by the name of its file.
    Video,
    /// Any file, by its name.
    File,
    /// A building of OpenStreetMap with tags, by the name of its file.
    Osm {
        /// The list of the `osm` sheet whose tags are asked for.
        tags: Option<String>,
    },
    /// The content of a barcode.
    Barcode,
    /// A text shown, nothing asked.
    Note,
    /// A value computed by `calculation`, not shown.
    Calculate,
    /// A value not shown, set by its default or by whoever opens the form.
    Hidden,
    /// A text to be ticked as read; stores `OK`.
    ///
    /// One that is not required and has a relevance is a soft check: while it is to be asked and not ticked,
    /// [`crate::session::Session::validate`] warns with its label.
    Acknowledge,
    /// A value that the device records.
    Metadata(Metadata),
    /// A file with data for expressions, not asked: `name.extension`.
    ExternalData(DataFile),
    /// Questions that stand together.
    Group,
    /// Questions asked once for each instance.
    Repeat,
}

/// The format of a file with data for expressions.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum DataFile {
    /// Comma-separated values with a heading row.
    Csv,
    /// XML.
    Xml,
    /// GeoJSON.
    GeoJson,
}

impl DataFile {
    /// The format of a file of that name.
    pub fn of_name(name: &str) -> Option<Self> {
        match name.rsplit_once('.')?.1 {
            "csv" => Some(Self::Csv),
            "xml" => Some(Self::Xml),
            "geojson" => Some(Self::GeoJson),
            _ => None,
        }
    }

    /// The columns that hold the name and the label of a choice, unless a question's parameters say otherwise.
    pub(crate) fn choice_columns(self) -> (&'static str, &'static str) {
        match self {
            Self::Csv | Self::Xml => ("name", "label"),
            Self::GeoJson => ("id", "title"),
        }
    }

    /// The extension of such files, without the dot.
    pub fn extension(self) -> &'static str {
        match self {
            Self::Csv => "csv",
            Self::Xml => "xml",
            Self::GeoJson => "geojson",
        }
    }
}

/// What a metadata row records (XLSForm reference, "Metadata").
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Metadata {
    /// When filling began.
    Start,
    /// When the form was last changed.
    End,
    /// The day of filling.
    Today,
    /// The device's identity.
    DeviceId,
    /// The telephone number that the device's owner entered.
    PhoneNumber,
    /// The user's name.
    Username,
    /// The user's e-mail address.
    Email,
    /// The subscriber's identity on the SIM card; no longer given by most devices.
    SubscriberId,
    /// The SIM card's serial number; no longer given by most devices.
    SimSerial,
    /// [`Metadata::DeviceId`] as a URI.
    UriDeviceId,
    /// [`Metadata::PhoneNumber`] as a URI.
    UriPhoneNumber,
    /// [`Metadata::Username`] as a URI.
    UriUsername,
    /// [`Metadata::Email`] as a URI.
    UriEmail,
    /// [`Metadata::SubscriberId`] as a URI.
    UriSubscriberId,
    /// [`Metadata::SimSerial`] as a URI.
    UriSimSerial,
    /// A log of how the form was filled, by the name of its file.
    Audit,
    /// Where the form was opened.
    StartGeopoint,
    /// Where the device was when the row's trigger changed.
    BackgroundGeopoint,
    /// A recording made while the form is filled, by the name of its file.
    BackgroundAudio,
}

impl NodeKind {
    /// Where a select's choices come from.
    pub fn choice_source(&self) -> Option<ChoiceSource<'_>> {
        match self {
            Self::SelectOne { list } | Self::SelectMultiple { list } | Self::Rank { list } => {
                Some(ChoiceSource::of(list))
            }
            Self::SelectOneExternal { list } => Some(ChoiceSource::External(list)),
            _ => None,
        }
    }

    /// Whether rows of this kind hold other rows.
    pub fn is_container(&self) -> bool {
        matches!(self, Self::Group | Self::Repeat)
    }

    /// Whether a person answers rows of this kind (also by ticking an acknowledgement).
    pub fn is_asked(&self) -> bool {
        !matches!(
            self,
            Self::Note
                | Self::Calculate
                | Self::Hidden
                | Self::Metadata(_)
                | Self::ExternalData(_)
                | Self::Group
                | Self::Repeat
        )
    }
}
