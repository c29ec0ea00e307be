//! What a cell of the column `type` says.

use crate::model::{ChoiceSource, DataFile, FormNode, Metadata, NodeKind, ProblemKind, UNTYPED, nearest_name};

/// What a cell of the column `type` says.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum RowType {
    /// A question, note, calculation or metadata.
    Question(QuestionType),
    /// A select from a list.
    Select(SelectType),
    /// The beginning of a group or repeat.
    Begin(NodeKind),
    /// The beginning of a loop over the choices of a list, if it names one.
    BeginLoop(Option<String>),
    /// The end of a group, repeat or loop.
    End(Container),
    /// A setting, written into the sheet `survey`.
    Setting(&'static str),
}

/// What an end closes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Container {
    Group,
    Repeat,
    Loop,
}

/// A type of question and what it implies.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct QuestionType {
    pub(super) kind: NodeKind,
    /// A constraint that the type has by itself.
    pub(super) constraint: Option<&'static str>,
    /// A hint that the type has by itself.
    pub(super) hint: Option<&'static str>,
    /// Whether the XForm gives the row no data type: only the legacy type `trigger`.
    pub(super) untyped: bool,
}

/// The type of a select.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct SelectType {
    pub(super) command: SelectCommand,
    pub(super) list: String,
    /// Whether the choices come from a file by the words of the type.
    pub(super) from_file: bool,
    /// Whether a further choice `other` is offered, with a question for it.
    pub(super) or_other: bool,
}

/// What may be selected.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum SelectCommand {
    One,
    OneExternal,
    Multiple,
    Rank,
}

impl SelectType {
    pub(super) fn kind(&self) -> NodeKind {
        let list = self.list.clone();
        match self.command {
            SelectCommand::One => NodeKind::SelectOne { list },
            SelectCommand::OneExternal => NodeKind::SelectOneExternal { list },
            SelectCommand::Multiple => NodeKind::SelectMultiple { list },
            SelectCommand::Rank => NodeKind::Rank { list },
        }
    }
}

/// The types that take no further words, with every way to write them; the first is the usual one.
const QUESTIONS: &[(NodeKind, &[&str])] = &[
    (NodeKind::Text, &["text", "string", "q string", "add text prompt"]),
    (NodeKind::Integer, &["integer", "int", "q int", "add integer prompt"]),
    (NodeKind::Decimal, &["decimal", "q decimal", "add decimal prompt"]),
    (NodeKind::Range, &["range"]),
    (NodeKind::Date, &["date", "q date", "add date prompt"]),
    (NodeKind::Time, &["time"]),
    (
        NodeKind::DateTime,
        &[
            "dateTime",
            "datetime",
            "date time",
            "q dateTime",
            "q date time",
            "add dateTime prompt",
            "add date time prompt",
        ],
    ),
    (
        NodeKind::Geopoint,
        &[
            "geopoint",
            "gps",
            "location",
            "q geopoint",
            "q location",
            "add location prompt",
        ],
    ),
    (NodeKind::Geotrace, &["geotrace", "q geotrace"]),
    (NodeKind::Geoshape, &["geoshape", "q geoshape"]),
    (
        NodeKind::Image,
        &[
            "image",
            "photo",
            "q picture",
            "q image",
            "add image prompt",
            "add photo prompt",
        ],
    ),
    (NodeKind::Audio, &["audio", "q audio", "add audio prompt"]),
    (NodeKind::Video, &["video", "q video", "add video prompt"]),
    (NodeKind::File, &["file", "add file prompt"]),
    (NodeKind::Osm { tags: None }, &["osm"]),
    (NodeKind::Barcode, &["barcode", "q barcode", "add barcode prompt"]),
    (NodeKind::Note, &["note", "q note", "add note prompt"]),
    (
        NodeKind::Calculate,
        &["calculate", "q calculate", "add calculate prompt"],
    ),
    (NodeKind::Hidden, &["hidden"]),
    (
        NodeKind::Acknowledge,
        &["acknowledge", "q acknowledge", "add acknowledge prompt"],
    ),
    (
        NodeKind::Metadata(Metadata::Start),
        &["start", "start time", "get start time"],
    ),
    (NodeKind::Metadata(Metadata::End), &["end", "end time", "get end time"]),
    (NodeKind::Metadata(Metadata::Today), &["today", "get today"]),
    (
        NodeKind::Metadata(Metadata::DeviceId),
        &["deviceid", "imei", "device id", "get device id"],
    ),
    (
        NodeKind::Metadata(Metadata::PhoneNumber),
        &["phonenumber", "get phone number"],
    ),
    (NodeKind::Metadata(Metadata::Username), &["username"]),
    (NodeKind::Metadata(Metadata::Email), &["email"]),
    (
        NodeKind::Metadata(Metadata::SubscriberId),
        &["subscriberid", "subscriber id", "get subscriber id"],
    ),
    (
        NodeKind::Metadata(Metadata::SimSerial),
        &["simserial", "sim id", "get sim id"],
    ),
    (NodeKind::Metadata(Metadata::UriDeviceId), &["uri:deviceid"]),
    (NodeKind::Metadata(Metadata::UriPhoneNumber), &["uri:phonenumber"]),
    (NodeKind::Metadata(Metadata::UriUsername), &["uri:username"]),
    (NodeKind::Metadata(Metadata::UriEmail), &["uri:email"]),
    (NodeKind::Metadata(Metadata::UriSubscriberId), &["uri:subscriberid"]),
    (NodeKind::Metadata(Metadata::UriSimSerial), &["uri:simserial"]),
    (NodeKind::Metadata(Metadata::Audit), &["audit"]),
    (NodeKind::Metadata(Metadata::StartGeopoint), &["start-geopoint"]),
    (
        NodeKind::Metadata(Metadata::BackgroundGeopoint),
        &["background-geopoint"],
    ),
    (NodeKind::Metadata(Metadata::BackgroundAudio), &["background-audio"]),
    (NodeKind::ExternalData(DataFile::Xml), &["xml-external"]),
    (NodeKind::ExternalData(DataFile::Csv), &["csv-external"]),
];

/// Older types that stand for another type with a constraint, and what they explain.
const CONSTRAINED: &[(&str, NodeKind, &str, Option<&str>)] = &[
    ("percentage", NodeKind::Integer, "0 <= . and . <= 100", None),
    (
        "number of days in last month",
        NodeKind::Integer,
        "0 <= . and . <= 31",
        Some("Enter a number 0-31."),
    ),
    (
        "number of days in last six months",
        NodeKind::Integer,
        "0 <= . and . <= 183",
        Some("Enter a number 0-183."),
    ),
    (
        "number of days in last year",
        NodeKind::Integer,
        "0 <= . and . <= 365",
        Some("Enter a number 0-365."),
    ),
    (
        "phone number",
        NodeKind::Text,
        r"regex(., '^\d*$')",
        Some("Enter numbers only."),
    ),
];

const SELECTS: &[(SelectCommand, bool, &[&str])] = &[
    (
        SelectCommand::One,
        false,
        &[
            "select_one",
            "select one",
            "select1",
            "select one from",
            "add select one prompt using",
        ],
    ),
    (
        SelectCommand::Multiple,
        false,
        &[
            "select_multiple",
            "select all that apply",
            "select all that apply from",
            "add select multiple prompt using",
        ],
    ),
    (SelectCommand::OneExternal, false, &["select_one_external"]),
    (
        SelectCommand::One,
        true,
        &["select_one_from_file", "select one from file"],
    ),
    (
        SelectCommand::Multiple,
        true,
        &["select_multiple_from_file", "select multiple from file"],
    ),
    (SelectCommand::Rank, false, &["rank"]),
];

const SETTINGS: &[(&str, &str)] = &[
    ("form_title", "title"),
    ("set_form_title", "title"),
    ("form_id", "id_string"),
    ("set_form_id", "id_string"),
    ("prefix", "prefix"),
];

/// Reads a cell of the column `type`. Types are case-sensitive, as in pyxform.
pub(super) fn read(written: &str) -> Result<RowType, ProblemKind> {
    if let Some((_, setting)) = SETTINGS.iter().find(|(name, _)| *name == written) {
        return Ok(RowType::Setting(setting));
    }
    if let Some(begin) = begin(written) {
        return Ok(begin);
    }
    if let Some(rest) = after_word(written, "end")
        && let Some((container, "")) = container(rest)
    {
        return Ok(RowType::End(container));
    }
    if let Some(select) = select(written)? {
        return Ok(RowType::Select(select));
    }
    if let Some(tags) = written.split_once("osm ").map(|(_, tags)| tags)
        && let Some(list) = tags.split_whitespace().next()
    {
        let kind = NodeKind::Osm {
            tags: Some(list.to_owned()),
        };
        return Ok(RowType::Question(plain(kind)));
    }
    question(written).map(RowType::Question).ok_or_else(|| unknown(written))
}

/// The usual way to write a row's type.
pub(super) fn written(node: &FormNode) -> String {
    let select = |command, list: &str| {
        let from_file = matches!(node.kind.choice_source(), Some(ChoiceSource::File { .. }))
            && matches!(command, SelectCommand::One | SelectCommand::Multiple);
        let found = SELECTS
            .iter()
            .find(|(other, file, _)| *other == command && *file == from_file);
        format!("{} {list}", found.map_or("", |(_, _, ways)| ways[0]))
    };
    match &node.kind {
        NodeKind::Group => "begin_group".to_owned(),
        NodeKind::Repeat => "begin_repeat".to_owned(),
        NodeKind::SelectOne { list } => select(SelectCommand::One, list),
        NodeKind::SelectMultiple { list } => select(SelectCommand::Multiple, list),
        NodeKind::SelectOneExternal { list } => select(SelectCommand::OneExternal, list),
        NodeKind::Rank { list } => select(SelectCommand::Rank, list),
        NodeKind::Osm { tags: Some(list) } => format!("osm {list}"),
        NodeKind::Acknowledge if node.attributes.bind.contains_key(UNTYPED) => "trigger".to_owned(),
        kind => {
            let found = QUESTIONS.iter().find(|(other, _)| other == kind);
            found.map_or("", |(_, ways)| ways[0]).to_owned()
        }
    }
}

fn plain(kind: NodeKind) -> QuestionType {
    QuestionType {
        kind,
        constraint: None,
        hint: None,
        untyped: false,
    }
}

fn question(written: &str) -> Option<QuestionType> {
    if let Some((kind, _)) = QUESTIONS.iter().find(|(_, ways)| ways.contains(&written)) {
        return Some(plain(kind.clone()));
    }
    if written == "trigger" {
        return Some(QuestionType {
            untyped: true,
            ..plain(NodeKind::Acknowledge)
        });
    }
    let (_, kind, constraint, hint) = CONSTRAINED.iter().find(|(name, ..)| *name == written)?;
    Some(QuestionType {
        constraint: Some(constraint),
        hint: *hint,
        ..plain(kind.clone())
    })
}

/// What follows `word` and one space or `_`.
fn after_word<'t>(text: &'t str, word: &str) -> Option<&'t str> {
    let rest = text.strip_prefix(word)?;
    rest.strip_prefix(|separator: char| separator == '_' || separator.is_whitespace())
}

/// The container that the text names, and what follows.
fn container(text: &str) -> Option<(Container, &str)> {
    const NAMES: [(&str, Container); 5] = [
        ("looped group", Container::Repeat),
        ("lgroup", Container::Repeat),
        ("repeat", Container::Repeat),
        ("group", Container::Group),
        ("loop", Container::Loop),
    ];
    let mut found = NAMES.iter().filter_map(|(name, container)| {
        let rest = text.strip_prefix(name)?;
        (rest.is_empty() || rest.starts_with(' ')).then_some((*container, rest))
    });
    found.next()
}

fn begin(written: &str) -> Option<RowType> {
    let (container, rest) = container(after_word(written, "begin")?)?;
    let list = match rest.strip_prefix(' ') {
        None => None,
        Some(list) => {
            let list = list.strip_prefix("over ").unwrap_or(list);
            if list.is_empty() || list.contains(char::is_whitespace) {
                return None;
            }
            Some(list.to_owned())
        }
    };
    Some(match container {
        Container::Group => RowType::Begin(NodeKind::Group),
        Container::Repeat => RowType::Begin(NodeKind::Repeat),
        Container::Loop => RowType::BeginLoop(list),
    })
}

fn select(written: &str) -> Result<Option<SelectType>, ProblemKind> {
    // The longest command that fits: `select one from file` before `select one from`.
    let mut ways = SELECTS
        .iter()
        .flat_map(|(command, from_file, ways)| ways.iter().map(move |way| (*command, *from_file, *way)));
    let fitting = |way: &str| {
        written
            .strip_prefix(way)
            .is_some_and(|rest| rest.is_empty() || rest.starts_with(' '))
    };
    let longest = ways
        .by_ref()
        .filter(|(_, _, way)| fitting(way))
        .max_by_key(|(_, _, way)| way.len());
    let Some((command, from_file, way)) = longest else {
        return Ok(None);
    };
    let rest = written[way.len()..].trim_start_matches(' ');
    let (list, other) = match rest.split_once(' ') {
        None => (rest, ""),
        Some((list, other)) => (list, other),
    };
    if list.is_empty() {
        return Err(ProblemKind::MissingList(way));
    }
    let or_other = match other {
        "" => false,
        "or specify other" | "or_other" | "or other" => true,
        _ => return Err(unknown(written)),
    };
    Ok(Some(SelectType {
        command,
        list: list.to_owned(),
        from_file,
        or_other,
    }))
}

fn unknown(written: &str) -> ProblemKind {
    let first_words = QUESTIONS.iter().map(|(_, ways)| ways[0]);
    let constrained = CONSTRAINED.iter().map(|(name, ..)| *name);
    let selects = SELECTS.iter().map(|(_, _, ways)| ways[0]);
    let containers = ["begin_group", "end_group", "begin_repeat", "end_repeat"];
    let names: Vec<&str> = first_words.chain(constrained).chain(containers).collect();
    let lower = written.to_lowercase();
    let word = lower.split(' ').next().unwrap_or_default();
    let nearest = names.iter().find(|name| **name == lower).map(|name| (*name).to_owned());
    let nearest = nearest.or_else(|| nearest_name(&lower, names.into_iter()));
    let nearest = nearest.or_else(|| nearest_name(word, selects.clone())).or_else(|| {
        let mut selects = selects;
        selects.find(|name| *name == word).map(str::to_owned)
    });
    ProblemKind::UnknownType {
        found: written.to_owned(),
        nearest,
    }
}
