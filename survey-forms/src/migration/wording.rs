//! Changes in words, with the reason why a round in the field can or cannot take them.

use std::fmt;

use super::difference::{Change, ChangeKind, Safety};

impl Safety {
    fn words(self) -> (&'static str, &'static str) {
        match self {
            Self::Safe => ("an toàn", "safe"),
            Self::Warning => ("lưu ý", "warning"),
            Self::Unsafe => ("không an toàn", "unsafe"),
        }
    }
}

/// What changed and why it is safe or not: (Vietnamese, English).
type Words = (String, String);

impl Change {
    /// The change in Vietnamese, with its place and the reason.
    pub fn vietnamese(&self) -> String {
        let (what, _) = self.what();
        format!(
            "[{}] {}{}: {what}; {}",
            self.safety.words().0,
            self.sheet,
            self.place("hàng"),
            self.reason().0
        )
    }

    /// Why a round in the field can take the change or not, in English.
    pub fn reason_english(&self) -> &'static str {
        self.reason().1
    }

    /// The same in Vietnamese.
    pub fn reason_vietnamese(&self) -> &'static str {
        self.reason().0
    }

    fn place(&self, row: &str) -> String {
        let number = self.new_row.or(self.old_row);
        let number = number.map_or_else(String::new, |number| format!(", {row} {number}"));
        let name = match self.name.as_str() {
            "" => String::new(),
            name => format!(", {name}"),
        };
        number + &name
    }

    fn what(&self) -> Words {
        let shown = |cell: &Option<String>| cell.as_ref().map_or_else(|| "–".to_owned(), |text| format!("{text:?}"));
        match &self.kind {
            ChangeKind::RowAdded { kind, .. } => (format!("thêm ({kind})"), format!("added ({kind})")),
            ChangeKind::RowRemoved { kind } => (format!("bỏ ({kind})"), format!("removed ({kind})")),
            ChangeKind::Renamed { from } => (format!("đổi tên từ {from}"), format!("renamed from {from}")),
            ChangeKind::RenamedFromNothing { from } => (
                format!("cột renamed_from ghi {from:?}"),
                format!("the column renamed_from says {from:?}"),
            ),
            ChangeKind::TypeChanged { from, to, .. } => {
                (format!("đổi loại {from} → {to}"), format!("type {from} → {to}"))
            }
            ChangeKind::MovedToGroup { from, to, .. } => (
                format!("chuyển nhóm {} → {}", shown(from), shown(to)),
                format!("moved from group {} to {}", shown(from), shown(to)),
            ),
            ChangeKind::MovedAcrossRepeats { from, to } => (
                format!("chuyển nhóm lặp {} → {}", shown(from), shown(to)),
                format!("moved from repeat {} to {}", shown(from), shown(to)),
            ),
            ChangeKind::OrderChanged => ("đổi thứ tự các hàng".to_owned(), "rows in another order".to_owned()),
            ChangeKind::ExpressionChanged { column, from, to } | ChangeKind::ColumnChanged { column, from, to } => {
                let both = format!("{column}: {} → {}", shown(from), shown(to));
                (format!("đổi cột {both}"), format!("column {both}"))
            }
            ChangeKind::TextChanged {
                column,
                language,
                from,
                to,
            } => {
                let language = if language.is_empty() {
                    String::new()
                } else {
                    format!("::{language}")
                };
                let both = format!("{column}{language}: {} → {}", shown(from), shown(to));
                (format!("đổi chữ {both}"), format!("text {both}"))
            }
            ChangeKind::ChoiceAdded => ("thêm lựa chọn".to_owned(), "choice added".to_owned()),
            ChangeKind::ChoiceRemoved => ("bỏ lựa chọn".to_owned(), "choice removed".to_owned()),
            ChangeKind::ChoiceRenamed { from } => (
                format!("đổi tên lựa chọn từ {from}"),
                format!("choice renamed from {from}"),
            ),
            ChangeKind::LanguageAdded => ("thêm ngôn ngữ".to_owned(), "language added".to_owned()),
            ChangeKind::LanguageRemoved => ("bỏ ngôn ngữ".to_owned(), "language removed".to_owned()),
            ChangeKind::DefaultLanguageChanged { from } => (
                format!("đổi ngôn ngữ mặc định, trước là {from}"),
                format!("default language, before {from}"),
            ),
            ChangeKind::SettingChanged { from, to } => {
                let both = format!("{} → {}", shown(from), shown(to));
                (format!("đổi thiết lập {both}"), format!("setting {both}"))
            }
            ChangeKind::VersionUnchanged { version } => (
                format!("nội dung khác nhưng nhãn phiên bản vẫn là {version:?}"),
                format!("the content differs but the version is still {version:?}"),
            ),
            ChangeKind::EntitiesChanged => ("đổi khai báo thực thể".to_owned(), "entity declarations".to_owned()),
        }
    }

    fn reason(&self) -> (&'static str, &'static str) {
        let is_safe = self.safety != Safety::Unsafe;
        match &self.kind {
            ChangeKind::RowAdded { required: true, .. } => (
                "câu bắt buộc mới làm các phiếu đã xong thành chưa xong",
                "finished responses lack an answer that is now required",
            ),
            ChangeKind::RowAdded { .. } => (
                "phiếu cũ để trống mục mới",
                "in responses so far the new row stays blank",
            ),
            ChangeKind::RowRemoved { .. } => (
                "câu trả lời cũ được giữ, chỉ không hỏi nữa",
                "old answers are kept, only not asked for any more",
            ),
            ChangeKind::Renamed { .. } => (
                "câu trả lời cũ được đọc dưới tên mới; hãy sửa tên trong biểu thức của bộ chỉ tiêu",
                "old answers are read under the new name; correct the name in the indicator registry's expressions",
            ),
            ChangeKind::RenamedFromNothing { .. } => (
                "bản cũ không có tên này, hoặc tên này vẫn dùng trong bản mới; hãy sửa hoặc xoá ô",
                "the old version has no such name, or the new one still uses it; correct or clear the cell",
            ),
            ChangeKind::TypeChanged { .. } if is_safe => (
                "mọi câu trả lời cũ đều chuyển được nguyên vẹn",
                "every old answer is converted without loss",
            ),
            ChangeKind::TypeChanged { .. } => (
                "có câu trả lời cũ không dùng được với loại mới; hãy đặt tên mới cho câu hỏi mới",
                "some old answers do not fit the new type; give the new question a new name",
            ),
            ChangeKind::MovedToGroup { .. } if is_safe => (
                "câu trả lời không phụ thuộc nhóm; điều kiện hỏi không đổi",
                "answers do not depend on the group, and the conditions for asking are the same",
            ),
            ChangeKind::MovedToGroup { .. } => (
                "nhóm mới có điều kiện hỏi khác",
                "the new group is asked under other conditions",
            ),
            ChangeKind::MovedAcrossRepeats { .. } => (
                "câu trả lời cũ thuộc nơi khác và không đọc được ở nơi mới; hãy đặt tên mới cho câu hỏi mới",
                "old answers belong elsewhere and are not read at the new place; give the new question a new name",
            ),
            ChangeKind::OrderChanged => ("thứ tự không đổi câu trả lời", "the order does not touch answers"),
            ChangeKind::ExpressionChanged { column, .. } => expression_reason(column, is_safe),
            ChangeKind::TextChanged { .. } => (
                "chỉ đổi lời; nếu nghĩa khác đi thì hãy đặt tên mới",
                "only the wording; if the meaning differs, give the question a new name",
            ),
            ChangeKind::ColumnChanged { column, .. } => column_reason(column, self.safety),
            ChangeKind::ChoiceAdded => ("phiếu cũ không chọn mục mới", "no response so far has the new choice"),
            ChangeKind::ChoiceRemoved => (
                "phiếu đã chọn mục này có giá trị không còn trong danh sách; hãy giữ lại hoặc ghi renamed_from",
                "responses with it hold a value that is not offered any more; keep it or use renamed_from",
            ),
            ChangeKind::ChoiceRenamed { .. } => (
                "câu trả lời cũ được đọc dưới tên mới",
                "old answers are read under the new name",
            ),
            ChangeKind::LanguageAdded | ChangeKind::LanguageRemoved | ChangeKind::DefaultLanguageChanged { .. } => (
                "câu trả lời không phụ thuộc ngôn ngữ",
                "answers do not depend on the language",
            ),
            ChangeKind::SettingChanged { .. } if is_safe => (
                "câu trả lời không phụ thuộc thiết lập này",
                "answers do not depend on the setting",
            ),
            ChangeKind::SettingChanged { .. } => (
                "thiết bị ODK gửi phiếu theo dạng cũ trong khi đợt đang chạy",
                "ODK devices send what they filled under the old setting",
            ),
            ChangeKind::VersionUnchanged { .. } => (
                "người dùng không phân biệt được hai bản; hãy đổi version",
                "people cannot tell the two apart; change the version",
            ),
            ChangeKind::EntitiesChanged => (
                "thực thể tạo trước và sau không giống nhau",
                "entities made before and after are not alike",
            ),
        }
    }
}

fn expression_reason(column: &str, is_safe: bool) -> (&'static str, &'static str) {
    match (column, is_safe) {
        ("relevant", _) => (
            "các phiếu đã có có thể hỏi thêm hoặc bỏ câu hỏi",
            "responses so far may be asked more or less than they were",
        ),
        ("constraint", true) => ("mọi câu trả lời cũ vẫn hợp lệ", "every old answer stays acceptable"),
        ("constraint", false) => (
            "câu trả lời đã nhận có thể thành không hợp lệ",
            "answers that were accepted may now be refused",
        ),
        ("required", true) => ("không phiếu nào thành thiếu", "no response becomes incomplete"),
        ("required", false) => (
            "các phiếu đã xong có thể thành chưa xong",
            "finished responses may become incomplete",
        ),
        ("choice_filter", true) => ("mọi lựa chọn cũ vẫn được đưa ra", "every old choice stays offered"),
        ("choice_filter", false) => (
            "lựa chọn đã chọn có thể không còn được đưa ra",
            "choices that were made may not be offered any more",
        ),
        ("default" | "read_only", _) => (
            "chỉ ảnh hưởng phiếu và câu trả lời về sau",
            "it concerns only later responses and answers",
        ),
        ("repeat_count", _) => (
            "các phiếu đã có có thể thừa hoặc thiếu lần lặp",
            "responses so far may have too many or too few instances",
        ),
        _ => (
            "giá trị tính của mọi phiếu có thể đổi",
            "computed values of every response may change",
        ),
    }
}

fn column_reason(column: &str, safety: Safety) -> (&'static str, &'static str) {
    match (column, safety) {
        ("indicator", _) => (
            "số liệu chỉ tiêu trước và sau không so sánh được",
            "the indicator's figures before and after cannot be compared",
        ),
        ("sensitive", Safety::Unsafe) => (
            "câu trả lời cũ có thể không còn được bảo vệ như đã hứa",
            "old answers may lose the protection that was promised",
        ),
        (_, Safety::Unsafe) => (
            "câu trả lời trước và sau không cùng nghĩa",
            "answers before and after do not mean the same",
        ),
        (_, Safety::Warning) => (
            "không biết cột này có ảnh hưởng câu trả lời hay không",
            "whether the column touches answers is not known here",
        ),
        (_, Safety::Safe) => ("không ảnh hưởng câu trả lời", "it does not touch answers"),
    }
}

impl fmt::Display for Change {
    /// The change in English, with its place and the reason.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (_, what) = self.what();
        let (place, reason) = (self.place("row"), self.reason().1);
        write!(f, "[{}] {}{place}: {what}; {reason}", self.safety.words().1, self.sheet)
    }
}
