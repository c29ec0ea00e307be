//! The messages of the exchange.

use std::fmt;

use serde::{Deserialize, Serialize};
use serde_bytes::{ByteArray, ByteBuf};

use super::cursor::Cursor;
use super::erasure::ErasedResponse;
use super::packing::Form;
use super::wire::{Limits, WireError};
use crate::device::{AttestationSignature, DevicePublicKey};
use crate::identity::RoundId;

/// The version of the exchange that this code speaks.
pub const PROTOCOL_VERSION: u16 = 2;

/// What a device sends: what it has for the server, and how far it has read the server's log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SyncRequest {
    /// [`PROTOCOL_VERSION`].
    pub version: u16,
    /// The last entry of the server's log that the device has; none where it reads from the start.
    pub cursor: Option<Cursor>,
    /// An entry of the server's log behind the cursor: up to it the log has what was acknowledged to the device. None
    /// where the cursor is as far.
    pub acknowledged: Option<Cursor>,
    /// Whether the device reads the log from its start and has not come to its end yet, so that it wants back also what
    /// it wrote itself. A request without a cursor always gets that.
    pub restoring: bool,
    /// The device's clock when it sent this, in milliseconds since 1970-01-01T00:00:00Z. Evidence, never an order.
    pub device_time: i64,
    /// New changes, grouped by response. Their flat order numbers them from 0.
    pub responses: Vec<ResponseChanges>,
    /// Who wrote them. Every change is covered by one attestation.
    pub attestations: Vec<Attestation>,
    /// What the device asks for instead of the entries after its cursor, where it has changes but no cursor.
    pub reconciliation: Option<Reconciliation>,
    /// How the changes of the answer are to be written.
    pub answer_form: Form,
}

/// How a device that has changes but no cursor comes to have what the log has.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Reconciliation {
    /// Compare the log's changes in the device's scope with what the device has: a request of
    /// [`reconciliation::Initiator`](super::reconciliation::Initiator).
    Compare(ByteBuf),
    /// Send the changes with these hashes.
    Fetch(Vec<ByteArray<32>>),
}

impl Reconciliation {
    /// Refuses to ask for more changes than a message may have.
    pub(super) fn checked(&self, limits: &Limits) -> Result<(), WireError> {
        match self {
            Self::Fetch(hashes) if hashes.len() > limits.changes => Err(WireError::TooMany {
                what: "hashes",
                limit: limits.changes,
            }),
            Self::Fetch(_) | Self::Compare(_) => Ok(()),
        }
    }
}

impl SyncRequest {
    /// How many changes the request carries.
    pub fn change_count(&self) -> usize {
        self.responses.iter().map(|response| response.changes.len()).sum()
    }
}

/// Changes of one response, dependencies before dependents.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ResponseChanges {
    /// The round.
    pub round: RoundId,
    /// The surveyed unit's code.
    pub unit: String,
    /// Uncompressed Automerge change chunks; on the wire those of all responses are packed together.
    pub changes: Vec<ByteBuf>,
}

/// A device's signature under a run of the request's changes: those numbered `first` to `first + count − 1`.
///
/// The signed text is in [`DeviceKey::attest`](crate::device::DeviceKey::attest); the hashes need not travel, since they
/// follow from the changes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Attestation {
    /// The author.
    pub device: DevicePublicKey,
    /// The number of the first change that it covers.
    pub first: u32,
    /// How many changes it covers.
    pub count: u32,
    /// The signature.
    pub signature: AttestationSignature,
}

/// What the server answers.
///
/// Every change of the request that is neither refused nor waiting is accepted: in the log, and durable.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SyncResponse {
    /// [`PROTOCOL_VERSION`].
    pub version: u16,
    /// How many of the request's changes are in the log, be it by this request or an earlier one.
    pub accepted: u32,
    /// The numbers of the request's changes that are kept, but wait for changes on which they depend. They are not in the
    /// log yet, so a reader of the log cannot tell when they are lost: the device sends them again another time.
    pub waiting: Vec<u32>,
    /// Changes that the server does not take.
    pub refused: Vec<Refusal>,
    /// What is new for this device in its scope.
    pub responses: Vec<ResponseChanges>,
    /// Responses in the device's scope that were erased: it deletes its copies.
    pub erased: Vec<ErasedResponse>,
    /// The cursor to send next time; none where nothing was read, because the log is empty or the cursor is unknown.
    pub cursor: Option<Cursor>,
    /// The log's last entry, where the cursor is before it: what this answer acknowledges is in the log up to there.
    pub acknowledged: Option<Cursor>,
    /// Whether one of the request's cursors is of another log: that of another server, or of this one before it was set back
    /// to a backup. The device then finds out what this log has, and offers again what it does not have.
    pub unknown_cursor: bool,
    /// The answer to [`Reconciliation::Compare`], of the log up to the cursor; none where the server does not compare what
    /// the device sent.
    pub reconciliation: Option<ByteBuf>,
    /// Whether there is more to fetch at once.
    pub more: bool,
    /// The server's clock, in milliseconds since 1970-01-01T00:00:00Z.
    pub server_time: i64,
}

/// A change that the server does not take. The device keeps it and shows the reason.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Refusal {
    /// The change's number in the request.
    pub change: u32,
    /// Why.
    pub reason: RefusalReason,
    /// Whether the server keeps the change for a person to decide about, so that it need not be sent again.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub quarantined: bool,
}

impl Refusal {
    /// A refusal of a change that the server does not keep.
    pub fn new(change: u32, reason: RefusalReason) -> Self {
        Self {
            change,
            reason,
            quarantined: false,
        }
    }
}

/// Why a change is not taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RefusalReason {
    /// The bytes are no Automerge change, or its checksum is wrong.
    Malformed,
    /// The change is larger than the limit.
    TooLarge,
    /// Another change under the same signature is damaged, so the signature cannot be checked.
    Unverifiable,
    /// Its author is not the device that attests it.
    ForeignAuthor,
    /// It writes where a response document has no room for answers.
    ForeignStructure,
    /// The server has no such round.
    UnknownRound,
    /// The round takes no more responses.
    RoundClosed,
    /// The round's frame has no such unit.
    UnknownUnit,
    /// The device may not write responses of this hamlet.
    OutsideScope,
    /// It contradicts the response's history, for example by reusing a sequence number of its author.
    Contradiction,
    /// The response was erased. The device deletes its copy.
    Erased,
    /// Nobody enrolled its author's device here. Only changes that others carry can be refused for this.
    UnknownDevice,
    /// Its author's device was revoked.
    RevokedDevice,
    /// A person looked at it and discarded it.
    Discarded,
    /// Its household was added in the field, and to its hamlet so many were added that it must be a mistake.
    HamletFull,
}

impl RefusalReason {
    /// Whether a person can decide about the change after all: it is whole and its author's, but came from whom, when or
    /// where it should not. Such changes are kept in quarantine.
    pub fn is_decidable(self) -> bool {
        matches!(
            self,
            Self::OutsideScope
                | Self::RevokedDevice
                | Self::RoundClosed
                | Self::Contradiction
                | Self::UnknownUnit
                | Self::HamletFull
        )
    }

    /// The reason in Vietnamese.
    pub fn vietnamese(&self) -> &'static str {
        match self {
            Self::Malformed => "dữ liệu thay đổi bị hỏng; hãy gửi lại từ máy đã ghi",
            Self::TooLarge => "thay đổi lớn hơn giới hạn cho phép",
            Self::Unverifiable => "một thay đổi khác cùng chữ ký bị hỏng; hãy ký và gửi lại từng thay đổi",
            Self::ForeignAuthor => "người ghi không phải là thiết bị đã ký",
            Self::ForeignStructure => "thay đổi ghi ngoài phần dành cho câu trả lời",
            Self::UnknownRound => "máy chủ không có đợt khảo sát này",
            Self::RoundClosed => "đợt khảo sát đã đóng",
            Self::UnknownUnit => "không có hộ này trong danh sách của đợt khảo sát",
            Self::OutsideScope => "thiết bị không được phân công ấp, khu phố này",
            Self::Contradiction => "thay đổi mâu thuẫn với lịch sử của phiếu",
            Self::Erased => "phiếu này đã được xóa theo yêu cầu",
            Self::UnknownDevice => "thiết bị đã ghi chưa được đăng ký ở đây",
            Self::RevokedDevice => "thiết bị đã ghi đã bị thu hồi quyền",
            Self::Discarded => "cán bộ đã xem và không nhận thay đổi này",
            Self::HamletFull => "ấp, khu phố này đã có quá nhiều hộ được thêm; hãy hỏi cán bộ xã",
        }
    }
}

impl fmt::Display for RefusalReason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Malformed => "the bytes are no Automerge change; send it again from the device that wrote it",
            Self::TooLarge => "the change is larger than the limit",
            Self::Unverifiable => "another change under the same signature is damaged; sign and send each by itself",
            Self::ForeignAuthor => "the author is not the device that attests the change",
            Self::ForeignStructure => "the change writes outside the maps of answers",
            Self::UnknownRound => "the server has no such round",
            Self::RoundClosed => "the round is closed",
            Self::UnknownUnit => "the round's frame has no such unit",
            Self::OutsideScope => "the device is not assigned to this hamlet",
            Self::Contradiction => "the change contradicts the response's history",
            Self::Erased => "the response was erased on request",
            Self::UnknownDevice => "the device that wrote it is not enrolled here",
            Self::RevokedDevice => "the device that wrote it was revoked",
            Self::Discarded => "an official looked at the change and discarded it",
            Self::HamletFull => "too many households were added to this hamlet; ask the commune official",
        })
    }
}
