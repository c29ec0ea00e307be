//! Why a request has no value, in the words of RFC 9457: a type, a title, a detail.

use serde_json::{Value, json};
use survey_forms::model::FormProblems;
use sync_core::exchange::WireError;
use sync_core::response::ResponseError;
use thiserror::Error;

use crate::frame::FrameError;
use crate::phone::Language;

/// Why a request has no value. Nothing was changed.
#[derive(Debug, Error)]
pub enum PhoneError {
    /// The bytes are no request.
    #[error(transparent)]
    Frame(#[from] FrameError),
    /// The request's name is none, or its argument is not what the request takes.
    #[error("request {name}: {source}")]
    Argument {
        /// The request.
        name: String,
        /// What is wrong with it.
        source: serde_json::Error,
    },
    /// A part that the request refers to is not there.
    #[error("the request has no part {0}")]
    Part(usize),
    /// A request before the storage was handed in.
    #[error("the storage is not open yet")]
    NotStarted,
    /// A request that only an enrolled phone can follow.
    #[error("this phone has not been enrolled yet; ask the commune official for an invitation")]
    NotEnrolled,
    /// A request of a phone whose rights were taken away, and which has forgotten everything since.
    #[error("the server has taken this phone's rights away; ask the commune official for an invitation")]
    Revoked,
    /// The form has not been fetched.
    #[error("the form is not on this phone yet; connect to the network once")]
    NoForm,
    /// No key can be derived.
    #[error("no key can be derived: {0}")]
    Key(String),
    /// There is no such household.
    #[error("household {0} is not on this phone's list")]
    UnknownUnit(String),
    /// A household is added to a hamlet that is none of the phone's.
    #[error("hamlet {0} is not one of this phone's")]
    UnknownHamlet(String),
    /// A household is added to a round that takes no more responses.
    #[error("the round is closed; no household can be added to it")]
    RoundClosed,
    /// The address of a household of the list is the frame's.
    #[error("household {0} is on the list, whose addresses the commune keeps")]
    Listed(String),
    /// No interview is open.
    #[error("no interview is open")]
    NoInterview,
    /// Another interview is open.
    #[error("the interview of household {0} is open; save and close it first")]
    OtherInterview(String),
    /// There is no such place in the form.
    #[error("the form has no such place now: {0}")]
    UnknownStep(String),
    /// The form does not take it.
    #[error("{en}")]
    Refused {
        /// In Vietnamese.
        vi: String,
        /// In English.
        en: String,
    },
    /// The household was interviewed, so that a failed visit would say the opposite of what is known.
    #[error("this household has been interviewed already; open the form to correct it")]
    AlreadyInterviewed,
    /// The server's form cannot be used.
    #[error(transparent)]
    Form(#[from] FormProblems),
    /// A response cannot be changed.
    #[error(transparent)]
    Response(#[from] ResponseError),
    /// What the server or another phone sent cannot be read.
    #[error(transparent)]
    Wire(#[from] WireError),
    /// A bundle cannot be made.
    #[error("the bundle cannot be made: {en}")]
    Bundle {
        /// In Vietnamese.
        vi: String,
        /// In English.
        en: String,
    },
    /// There is nothing that the server does not have.
    #[error("everything has been sent")]
    NothingUnsent,
    /// There is nothing on this phone that a colleague could lack.
    #[error("there is nothing on this phone to give yet")]
    NothingToGive,
    /// The phone to which something is to be given is none that the server has told of.
    #[error("this colleague's phone is not known here; connect to the network once, or give without the name")]
    UnknownColleague,
    /// What the server said is not what it should say.
    #[error("the server's answer cannot be read: {0}")]
    Unreadable(#[from] serde_json::Error),
}

impl PhoneError {
    /// The last part of the problem's type.
    fn name(&self) -> &'static str {
        match self {
            Self::Frame(_) | Self::Argument { .. } | Self::Part(_) | Self::Key(_) => "malformed-request",
            Self::NotStarted => "not-started",
            Self::NotEnrolled => "not-enrolled",
            Self::Revoked => "device-revoked",
            Self::NoForm => "no-form",
            Self::UnknownUnit(_) => "unknown-unit",
            Self::UnknownHamlet(_) => "unknown-hamlet",
            Self::RoundClosed => "round-closed",
            Self::Listed(_) => "listed-household",
            Self::NoInterview => "no-interview",
            Self::OtherInterview(_) => "other-interview",
            Self::UnknownStep(_) => "unknown-step",
            Self::Refused { .. } => "refused",
            Self::AlreadyInterviewed => "already-interviewed",
            Self::Form(_) => "unusable-form",
            Self::Response(_) => "unusable-change",
            Self::Wire(_) | Self::Unreadable(_) => "unreadable-answer",
            Self::Bundle { .. } => "no-bundle",
            Self::NothingUnsent => "nothing-unsent",
            Self::NothingToGive => "nothing-to-give",
            Self::UnknownColleague => "unknown-colleague",
        }
    }

    /// The error in Vietnamese.
    pub fn vietnamese(&self) -> String {
        match self {
            Self::Frame(error) => error.vietnamese(),
            Self::Argument { name, source } => format!("yêu cầu {name}: {source}"),
            Self::Part(number) => format!("yêu cầu không có phần {number}"),
            Self::NotStarted => "bộ nhớ chưa được mở".to_owned(),
            Self::NotEnrolled => "Điện thoại này chưa được đăng ký; hãy xin cán bộ xã mã mời.".to_owned(),
            Self::Revoked => "Máy chủ đã thu hồi quyền của máy này; hãy xin cán bộ xã mã mời.".to_owned(),
            Self::NoForm => "Trên máy chưa có phiếu hỏi; hãy kết nối mạng một lần.".to_owned(),
            Self::Key(error) => format!("không tạo được khóa: {error}"),
            Self::UnknownUnit(unit) => format!("Hộ {unit} không có trong danh sách trên máy."),
            Self::UnknownHamlet(hamlet) => format!("Máy này không được phân công ấp, khu phố {hamlet}."),
            Self::RoundClosed => "Đợt khảo sát đã đóng, không thêm hộ được nữa.".to_owned(),
            Self::Listed(unit) => format!("Hộ {unit} có trong danh sách; địa chỉ do cán bộ xã giữ."),
            Self::NoInterview => "Chưa mở phiếu nào.".to_owned(),
            Self::OtherInterview(unit) => format!("Phiếu của hộ {unit} đang mở; hãy lưu và đóng phiếu đó trước."),
            Self::UnknownStep(step) => format!("Phiếu hiện không có chỗ này: {step}"),
            Self::Refused { vi, .. } | Self::Bundle { vi, .. } => vi.clone(),
            Self::AlreadyInterviewed => "Hộ này đã được phỏng vấn; hãy mở phiếu để sửa nếu cần.".to_owned(),
            Self::Form(problems) => problems.vietnamese(),
            Self::Response(error) => error.vietnamese(),
            Self::Wire(error) => error.vietnamese(),
            Self::NothingUnsent => "Mọi phiếu đã được gửi.".to_owned(),
            Self::NothingToGive => "Máy này chưa có phiếu nào để trao.".to_owned(),
            Self::UnknownColleague => {
                "Máy này chưa biết máy của đồng nghiệp; hãy kết nối mạng một lần, hoặc trao mà không chọn tên."
                    .to_owned()
            }
            Self::Unreadable(error) => format!("không đọc được câu trả lời của máy chủ: {error}"),
        }
    }

    /// The problem as a reply's member.
    pub(crate) fn told(&self, language: Language) -> Value {
        let (title, detail) = match language {
            Language::Vietnamese => ("Không thực hiện được", self.vietnamese()),
            Language::English => ("It cannot be done", self.to_string()),
        };
        json!({ "type": format!("/problems/{}", self.name()), "title": title, "detail": detail })
    }
}
