//! What can be wrong with a form, and where.

use std::fmt;

use thiserror::Error;

use super::advice::Advice;
use super::entity::EntityProblem;
use super::xform_problem::XFormProblem;
use crate::Phrase;
use crate::xpath::{Finding, SyntaxError};

/// Where in a workbook, or in an XForm, something is wrong.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Place {
    /// The sheet's name; empty where the whole workbook is meant, [`Place::XFORM`] in an XForm.
    pub sheet: String,
    /// The row as spreadsheets number it, from 1; none where the whole sheet is meant. In an XForm the line, from 1.
    pub row: Option<u32>,
    /// The column's heading. In an XForm the path of the element, such as `/h:html/h:head/model/bind`, and after a colon
    /// the character of the line at which the element begins, from 1.
    pub column: Option<String>,
}

impl Place {
    /// What stands for a sheet's name where the form is read from an XForm.
    pub const XFORM: &'static str = "xform";

    /// A place in a sheet.
    pub fn new(sheet: &str, row: Option<u32>, column: Option<&str>) -> Self {
        Self {
            sheet: sheet.to_owned(),
            // A form that does not come from a workbook has no rows.
            row: row.filter(|row| *row > 0),
            column: column.map(str::to_owned),
        }
    }

    fn write(&self, f: &mut impl fmt::Write, [workbook, sheet, row, column, line, element]: [&str; 6]) -> fmt::Result {
        if self.sheet.is_empty() {
            return f.write_str(workbook);
        }
        let is_xform = self.sheet == Self::XFORM;
        let [row, column] = if is_xform { [line, element] } else { [row, column] };
        match is_xform {
            true => f.write_str("XForm")?,
            false => write!(f, "{sheet} {}", self.sheet)?,
        }
        if let Some(number) = self.row {
            write!(f, ", {row} {number}")?;
        }
        if let Some(name) = &self.column {
            write!(f, ", {column} {name}")?;
        }
        Ok(())
    }

    fn vietnamese(&self) -> String {
        let mut text = String::new();
        // Writing into a string cannot fail.
        let _ = self.write(&mut text, ["tệp", "trang tính", "hàng", "cột", "dòng", "phần tử"]);
        text
    }
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.write(f, ["workbook", "sheet", "row", "column", "line", "element"])
    }
}

/// One thing wrong with a form.
#[derive(Debug, Clone, PartialEq, Error)]
#[error("{place}: {kind}")]
pub struct FormProblem {
    /// Where.
    pub place: Place,
    /// What.
    pub kind: ProblemKind,
}

impl FormProblem {
    /// The problem in Vietnamese.
    pub fn vietnamese(&self) -> String {
        format!("{}: {}", self.place.vietnamese(), self.kind.vietnamese())
    }
}

/// Everything wrong with a form; at least one problem.
#[derive(Debug, Clone, PartialEq)]
pub struct FormProblems(pub Vec<FormProblem>);

impl FormProblems {
    /// A single problem with the whole workbook.
    #[cfg(feature = "workbook")]
    pub(crate) fn workbook(kind: ProblemKind) -> Self {
        Self(vec![FormProblem {
            place: Place::default(),
            kind,
        }])
    }

    /// The problems in Vietnamese, one a line.
    pub fn vietnamese(&self) -> String {
        let lines: Vec<String> = self.0.iter().map(FormProblem::vietnamese).collect();
        lines.join("\n")
    }
}

impl fmt::Display for FormProblems {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (position, problem) in self.0.iter().enumerate() {
            if position > 0 {
                f.write_str("\n")?;
            }
            problem.fmt(f)?;
        }
        Ok(())
    }
}

impl std::error::Error for FormProblems {}

/// What is wrong with a form.
#[derive(Debug, Clone, PartialEq, Error)]
#[allow(missing_docs)] // the fields are what the message shows of them
pub enum ProblemKind {
    /// The bytes are no workbook, or a damaged one.
    #[error("this is no form that can be read: {0}; save the form as an Excel workbook (.xlsx)")]
    NotAWorkbook(Phrase),
    /// A limit that protects the reader's memory is exceeded.
    #[error("{what} is {found}; at most {most} is allowed")]
    TooLarge { what: Phrase, found: u64, most: u64 },
    /// A sheet that every form has is missing.
    #[error("there is no sheet named {0}; an XLSForm needs it")]
    MissingSheet(&'static str),
    /// A column that the sheet must have is missing.
    #[error("there is no column {0}; the sheet needs it")]
    MissingColumn(&'static str),
    /// Two columns mean the same.
    #[error("the column means the same as {0:?}; keep one of them")]
    DuplicateColumn(String),
    /// A cell that must be filled is empty.
    #[error("the cell is empty; {0} belongs here")]
    MissingValue(Phrase),
    /// A cell holds a spreadsheet error such as `#REF!`.
    #[error("the cell holds the spreadsheet error {0}; write the value itself")]
    ErrorCell(String),
    /// An unknown question type.
    #[error("there is no question type {found:?}; {}", type_meant(.nearest))]
    UnknownType { found: String, nearest: Option<String> },
    /// A select question without the name of its list.
    #[error("{0} needs the name of its choice list, as in \"{0} yes_no\"")]
    MissingList(&'static str),
    /// A select question whose list the `choices` sheet lacks.
    #[error("there is no choice list {0:?} in the sheet choices; add its rows there or correct the name")]
    UnknownList(String),
    /// Two choices of a list have the same name.
    #[error("the choice {name:?} stands twice in the list {list:?}; give each choice its own name")]
    DuplicateChoice { list: String, name: String },
    /// A choice's name holds a space, which separates the names of several choices.
    #[error("the choice name {0:?} holds a space; use _ instead")]
    SpaceInChoice(String),
    /// A name that cannot be an XML element.
    #[error("{0:?} cannot be a name; use letters, digits, _ and -, beginning with a letter or _")]
    BadName(String),
    /// A name used before.
    #[error("the name {name:?} is already used{}; names are unique in a form", first_row(*.first))]
    DuplicateName { name: String, first: u32 },
    /// `end group` or `end repeat` without its beginning.
    #[error("{found} closes nothing that is open; {}", expected_end(.open))]
    UnexpectedEnd {
        found: &'static str,
        open: Option<&'static str>,
    },
    /// `begin group` or `begin repeat` without its end.
    #[error("{0} is never closed; add the row {1}")]
    NeverClosed(&'static str, &'static str),
    /// A name that the form itself uses.
    #[error("the name {0:?} is the form's own; choose another")]
    ReservedName(String),
    /// Two repeats of one name.
    #[error("the repeat {name:?} exists already{}; repeats need different names throughout a form", first_row(*.first))]
    DuplicateRepeat { name: String, first: u32 },
    /// A reference to a name that several rows have.
    #[error("{name:?} may be any of several rows ({}); give the one that is meant a name of its own", row_list(.rows))]
    AmbiguousReference { name: String, rows: Vec<u32> },
    /// A `${` that does not begin a reference.
    #[error("a reference is written ${{name}}, without spaces; at character {0} it is not")]
    MalformedReference(usize),
    /// Groups nested too deeply.
    #[error("groups are nested more than {0} deep")]
    TooDeep(usize),
    /// An expression that cannot be read; `source_text` is the whole of it.
    #[error("{error}\n{}", error.caret(source_text))]
    Syntax { error: SyntaxError, source_text: String },
    /// A reference to a question that the form does not have.
    #[error("there is no question {name:?}{}", did_you_mean(.nearest))]
    UnknownQuestion { name: String, nearest: Option<String> },
    /// A variable in a form's own expression, where nobody gives it a value.
    #[error("${0} has no value in a form; a question is written ${{{0}}}")]
    Variable(String),
    /// Expressions that need one another's result.
    #[error("the value depends on itself: {}; break the circle", .0.join(" → "))]
    Circular(Vec<String>),
    /// A calculation without its expression.
    #[error("a calculate row needs an expression in the column calculation")]
    MissingCalculation,
    /// The form has no question.
    #[error("the sheet has no question")]
    NoQuestions,
    /// A node's parent is no group or repeat that stands before it.
    #[error("the parent of {0:?} is not a group or repeat before it")]
    BadParent(String),
    /// The form names no language.
    #[error("the form has no language; at least one is needed")]
    NoLanguage,
    /// The log of filling has another name.
    #[error("the log of filling is always named audit; leave the cell empty")]
    AuditName,
    /// `parameters` that cannot be read.
    #[error("parameters are written name=value name=value")]
    MalformedParameters,
    /// A parameter that the type does not have.
    #[error("the type has no parameter {name:?}; it takes {accepted}")]
    UnknownParameter { name: String, accepted: String },
    /// A parameter of another value than it may have.
    #[error("the parameter {name} is {found:?}; it must be {expected}")]
    BadParameter {
        name: String,
        found: String,
        expected: Phrase,
    },
    /// A parameter that works only with another.
    #[error("the parameter {name} needs {needed} too")]
    MissingParameter { name: String, needed: String },
    /// A trigger that is no reference.
    #[error("{0:?} is no trigger; write ${{question}}, several separated by commas")]
    BadTrigger(String),
    /// A trigger that people cannot change.
    #[error("{0:?} is not shown to people, so it cannot trigger anything; give it a label or another trigger")]
    HiddenTrigger(String),
    /// A calculation on a question that is filled by the device.
    #[error("a background-geopoint is recorded by the device; leave calculation empty")]
    CalculatedGeopoint,
    /// A larger picture without the picture.
    #[error("big-image needs image too: the picture that is tapped")]
    BigImageAlone,
    /// Only a hidden hint to tell what is asked.
    #[error("guidance_hint is hidden at first; write a label or hint too")]
    OnlyGuidance,
    /// A file for choices of unknown format.
    #[error("{0:?} is no file of choices; its name must end with .csv, .xml or .geojson")]
    BadDataFile(String),
    /// A select whose list the `external_choices` sheet lacks.
    #[error("there is no choice list {0:?} in the sheet external_choices; add its rows there or correct the name")]
    UnknownExternalList(String),
    /// `or_other` with a filter.
    #[error("or_other cannot be used with choice_filter; add a choice other and a question for it yourself")]
    FilterWithOther,
    /// `or_other` without a list.
    #[error("or_other needs a list of the sheet choices")]
    OtherWithoutList,
    /// A filter in a table.
    #[error("choice_filter cannot be used in a table-list, whose selects share their columns")]
    FilterInTable,
    /// Two lists in a table.
    #[error("the table-list shows the list {first:?}; a select of {found:?} does not fit into it")]
    ListsDifferInTable { first: String, found: String },
    /// Encrypted forms need an identity.
    #[error("omit_instanceID cannot be used with public_key: encryption needs the identity")]
    EncryptionNeedsIdentity,
    /// `search()` with a file.
    #[error("search() cannot be used with a select from a file; remove one of them")]
    SearchInFile,
    /// A list with and without `search()`.
    #[error("the list {0:?} is used with search() and without; use another list for one of them")]
    SearchSharesList(String),
    /// Two sources of one secondary instance.
    #[error("{name:?} would be both {first} and {second}; rename one of them")]
    InstanceClash {
        name: String,
        first: String,
        second: String,
    },
    /// `reference-geometry` that is nothing known.
    #[error("reference-geometry must name a choice list, a file, a list of entities or a repeat, not {0:?}")]
    UnknownGeometry(String),
    /// A mistake in an expression that can be read; `source_text` is the whole of it.
    #[error("{finding}\n{}", finding.caret(source_text))]
    Finding { finding: Finding, source_text: String },
    /// A filter by a column that the list does not have.
    #[error("the list has no column {name:?}; its columns are {columns}; a question is written ${{name}}")]
    UnknownColumn { name: String, columns: String },
    /// A default that its question could not take.
    #[error("the default {found:?} is no answer to this question; it takes {expected}")]
    BadDefault { found: String, expected: Phrase },
    /// A number of instances that is no number.
    #[error("{0:?} is no number of instances; write a number or ${{question}}")]
    NotACount(String),
    /// Computing with a question that is asked once an instance.
    #[error(
        "{name:?} has an answer for each instance of {repeat:?}; say which is meant with sum(), max(), count() or indexed-repeat()"
    )]
    SeveralValues { name: String, repeat: String },
    /// An attribute with a prefix that means nothing.
    #[error("the prefix {0:?} is not declared; add {0}=\"address\" to the setting namespaces")]
    UndeclaredPrefix(String),
    /// A definition in JSON that cannot be read.
    #[error("line {line}, column {column}: this is no form definition ({detail})")]
    BadDefinition { line: usize, column: usize, detail: String },
    /// Something wrong with entities.
    #[error(transparent)]
    Entity(EntityProblem),
    /// Something wrong with an XForm.
    #[error(transparent)]
    XForm(XFormProblem),
    /// Not wrong, but worth a look.
    #[error(transparent)]
    Advice(Advice),
    /// A file whose bytes contradict its format; `format` is its usual ending.
    #[error("the {format} file is damaged at {place}: {what}; open it in a spreadsheet program and save it as .xlsx")]
    Damaged {
        format: &'static str,
        place: String,
        what: Phrase,
    },
    /// A workbook of a kind that is not read.
    #[error("the file is {0}")]
    UnsupportedWorkbook(Phrase),
    /// A file that is no workbook and no text either.
    #[error(
        "byte {byte} (line {line}) is no UTF-8 text; save the file as \"CSV UTF-8\" or as an Excel workbook (.xlsx)"
    )]
    NotText { line: u64, byte: u64 },
    /// A text that a table of Markdown cannot hold.
    #[error("a Markdown table cannot hold {0}; save the form as .xlsx instead")]
    NotInMarkdown(Phrase),
}

fn type_meant(nearest: &Option<String>) -> String {
    match nearest {
        Some(nearest) => format!("did you mean {nearest}?"),
        None => "see the XLSForm reference for the types".to_owned(),
    }
}

fn row_list(rows: &[u32]) -> String {
    let rows: Vec<String> = rows.iter().map(u32::to_string).collect();
    rows.join(", ")
}

fn first_row(row: u32) -> String {
    if row > 0 {
        format!(" in row {row}")
    } else {
        String::new()
    }
}

fn expected_end(open: &Option<&'static str>) -> String {
    match open {
        Some(end) => format!("{end} is expected first"),
        None => "remove the row or add its beginning".to_owned(),
    }
}

fn did_you_mean(nearest: &Option<String>) -> String {
    match nearest {
        Some(name) => format!("; did you mean {name:?}?"),
        None => "; names are those of the column name".to_owned(),
    }
}

impl ProblemKind {
    /// The problem in Vietnamese.
    pub fn vietnamese(&self) -> String {
        match self {
            Self::NotAWorkbook(why) => format!(
                "không đọc được tệp biểu mẫu: {}; hãy lưu biểu mẫu thành sổ tính Excel (.xlsx)",
                why.vietnamese
            ),
            Self::TooLarge { what, found, most } => format!("{}: {found}, vượt giới hạn {most}", what.vietnamese),
            Self::MissingSheet(name) => format!("thiếu trang tính {name}; XLSForm cần có trang này"),
            Self::MissingColumn(name) => format!("thiếu cột {name}"),
            Self::DuplicateColumn(other) => format!("cột trùng nghĩa với {other:?}; chỉ giữ một cột"),
            Self::MissingValue(what) => format!("ô trống; cần điền {}", what.vietnamese),
            Self::ErrorCell(error) => format!("ô chứa lỗi bảng tính {error}; hãy ghi giá trị"),
            Self::UnknownType { found, nearest } => match nearest {
                Some(nearest) => format!("không có loại câu hỏi {found:?}; có phải là {nearest}?"),
                None => format!("không có loại câu hỏi {found:?}; các loại có trong tài liệu XLSForm"),
            },
            Self::MissingList(kind) => format!("{kind} cần tên danh sách lựa chọn, ví dụ \"{kind} yes_no\""),
            Self::UnknownList(list) => {
                format!("trang choices không có danh sách {list:?}; hãy thêm vào đó hoặc sửa tên")
            }
            Self::DuplicateChoice { list, name } => {
                format!("lựa chọn {name:?} bị lặp trong danh sách {list:?}; mỗi lựa chọn cần tên riêng")
            }
            Self::SpaceInChoice(name) => format!("tên lựa chọn {name:?} có dấu cách; hãy dùng _"),
            Self::BadName(name) => {
                format!("{name:?} không dùng làm tên được; chỉ dùng chữ, số, _ và -, bắt đầu bằng chữ hoặc _")
            }
            Self::DuplicateName { name, first } if *first > 0 => {
                format!("tên {name:?} đã dùng ở hàng {first}; tên trong biểu mẫu không được trùng")
            }
            Self::DuplicateName { name, .. } => format!("tên {name:?} bị trùng; tên trong biểu mẫu không được trùng"),
            Self::UnexpectedEnd { found, open } => match open {
                Some(end) => format!("{found} không khớp; phải đóng {end} trước"),
                None => format!("{found} không đóng nhóm nào; hãy bỏ hàng này hoặc thêm hàng mở"),
            },
            Self::NeverClosed(begin, end) => format!("{begin} chưa được đóng; hãy thêm hàng {end}"),
            Self::ReservedName(name) => format!("tên {name:?} do biểu mẫu dùng riêng; hãy chọn tên khác"),
            Self::DuplicateRepeat { name, first } if *first > 0 => {
                format!("nhóm lặp {name:?} đã có ở hàng {first}; các nhóm lặp phải khác tên nhau")
            }
            Self::DuplicateRepeat { name, .. } => {
                format!("nhóm lặp {name:?} bị trùng; các nhóm lặp phải khác tên nhau")
            }
            Self::AmbiguousReference { name, rows } => {
                format!(
                    "{name:?} có thể là nhiều hàng ({}); hãy đặt tên riêng cho hàng cần dùng",
                    row_list(rows)
                )
            }
            Self::MalformedReference(character) => {
                format!("tham chiếu phải viết là ${{tên}}, không có dấu cách; sai ở ký tự {character}")
            }
            Self::TooDeep(most) => format!("các nhóm lồng nhau quá {most} tầng"),
            Self::Syntax { error, source_text } => format!("{}\n{}", error.vietnamese(), error.caret(source_text)),
            Self::UnknownQuestion { name, nearest } => match nearest {
                Some(nearest) => format!("không có câu hỏi {name:?}; có phải là {nearest:?}?"),
                None => format!("không có câu hỏi {name:?}; tên nằm ở cột name"),
            },
            Self::Variable(name) => {
                format!("${name} không có giá trị trong biểu mẫu; câu hỏi phải viết là ${{{name}}}")
            }
            Self::Circular(names) => format!("giá trị phụ thuộc vòng tròn vào chính nó: {}", names.join(" → ")),
            Self::MissingCalculation => "hàng calculate cần biểu thức ở cột calculation".to_owned(),
            Self::NoQuestions => "trang tính không có câu hỏi nào".to_owned(),
            Self::BadParent(name) => format!("nhóm chứa {name:?} không phải là nhóm đứng trước nó"),
            Self::NoLanguage => "biểu mẫu không có ngôn ngữ; cần ít nhất một".to_owned(),
            Self::AuditName => "nhật ký điền luôn có tên audit; hãy để trống ô này".to_owned(),
            Self::MalformedParameters => "parameters phải viết là tên=giá_trị tên=giá_trị".to_owned(),
            Self::UnknownParameter { name, accepted } => {
                format!("loại câu hỏi này không có tham số {name:?}; chỉ có {accepted}")
            }
            Self::BadParameter { name, found, expected } => {
                format!("tham số {name} là {found:?}; phải là {}", expected.vietnamese)
            }
            Self::MissingParameter { name, needed } => format!("tham số {name} cần thêm {needed}"),
            Self::BadTrigger(text) => {
                format!("{text:?} không phải là trigger; hãy viết ${{câu_hỏi}}, nhiều câu cách nhau bằng dấu phẩy")
            }
            Self::HiddenTrigger(name) => {
                format!(
                    "{name:?} không hiện cho người dùng nên không kích hoạt được; hãy đặt nhãn hoặc chọn trigger khác"
                )
            }
            Self::CalculatedGeopoint => "background-geopoint do thiết bị ghi; hãy để trống calculation".to_owned(),
            Self::BigImageAlone => "big-image cần có cả image: ảnh để chạm vào".to_owned(),
            Self::OnlyGuidance => "guidance_hint lúc đầu bị ẩn; hãy ghi thêm label hoặc hint".to_owned(),
            Self::BadDataFile(name) => {
                format!("{name:?} không phải là tệp lựa chọn; tên phải có đuôi .csv, .xml hoặc .geojson")
            }
            Self::UnknownExternalList(list) => {
                format!("trang external_choices không có danh sách {list:?}; hãy thêm vào đó hoặc sửa tên")
            }
            Self::FilterWithOther => {
                "or_other không dùng chung với choice_filter được; hãy tự thêm lựa chọn other và câu hỏi kèm".to_owned()
            }
            Self::OtherWithoutList => "or_other cần một danh sách ở trang choices".to_owned(),
            Self::FilterInTable => "table-list không dùng choice_filter được vì các câu dùng chung cột".to_owned(),
            Self::ListsDifferInTable { first, found } => {
                format!("table-list này dùng danh sách {first:?}; câu dùng {found:?} không vào được")
            }
            Self::EncryptionNeedsIdentity => {
                "omit_instanceID không dùng với public_key được: mã hóa cần mã định danh".to_owned()
            }
            Self::SearchInFile => "search() không dùng với lựa chọn từ tệp được; hãy bỏ một trong hai".to_owned(),
            Self::SearchSharesList(list) => {
                format!("danh sách {list:?} vừa dùng với search() vừa không; hãy tách thành hai danh sách")
            }
            Self::InstanceClash { name, first, second } => {
                format!("{name:?} vừa là {first} vừa là {second}; hãy đổi tên một trong hai")
            }
            Self::UnknownGeometry(name) => format!(
                "reference-geometry phải là tên danh sách lựa chọn, tệp, danh sách thực thể hoặc nhóm lặp, không phải {name:?}"
            ),
            Self::Finding { finding, source_text } => {
                format!("{}\n{}", finding.vietnamese(), finding.caret(source_text))
            }
            Self::UnknownColumn { name, columns } => {
                format!("danh sách không có cột {name:?}; các cột là {columns}; câu hỏi phải viết là ${{tên}}")
            }
            Self::BadDefault { found, expected } => {
                format!(
                    "giá trị sẵn {found:?} không hợp với câu hỏi; cần {}",
                    expected.vietnamese
                )
            }
            Self::NotACount(text) => format!("{text:?} không phải số lần lặp; hãy ghi số hoặc ${{câu_hỏi}}"),
            Self::SeveralValues { name, repeat } => format!(
                "{name:?} có một câu trả lời cho mỗi lần lặp của {repeat:?}; hãy dùng sum(), max(), count() hoặc indexed-repeat()"
            ),
            Self::UndeclaredPrefix(prefix) => {
                format!("tiền tố {prefix:?} chưa khai báo; hãy thêm {prefix}=\"địa chỉ\" vào cài đặt namespaces")
            }
            Self::BadDefinition { line, column, detail } => {
                format!("dòng {line}, cột {column}: không phải định nghĩa biểu mẫu ({detail})")
            }
            Self::Entity(problem) => problem.vietnamese(),
            Self::XForm(problem) => problem.vietnamese(),
            Self::Advice(advice) => advice.vietnamese(),
            Self::Damaged { format, place, what } => format!(
                "tệp {format} bị hỏng tại {place}: {}; hãy mở bằng phần mềm bảng tính rồi lưu thành .xlsx",
                what.vietnamese
            ),
            Self::UnsupportedWorkbook(what) => format!("tệp này là {}", what.vietnamese),
            Self::NotText { line, byte } => format!(
                "byte {byte} (dòng {line}) không phải là văn bản UTF-8; hãy lưu tệp thành \"CSV UTF-8\" hoặc sổ tính \
                 Excel (.xlsx)"
            ),
            Self::NotInMarkdown(what) => {
                format!(
                    "bảng Markdown không chứa được {}; hãy lưu biểu mẫu thành .xlsx",
                    what.vietnamese
                )
            }
        }
    }
}
