//! The values of a Parquet column as the texts that a CSV file would have.

use jiff::Timestamp;
use jiff::civil::DateTime;
use jiff::tz::TimeZone;
use parquet::basic::{ConvertedType, LogicalType, TimeUnit, Type};
use parquet::data_type::Int96;
use parquet::schema::types::ColumnDescriptor;

use crate::http::Text;

/// Nanoseconds of a day.
const DAY: i128 = 86_400_000_000_000;
/// The day in an old time stamp that 1970-01-01 is.
const JULIAN_DAY_OF_1970: i128 = 2_440_588;
/// Decimal places of a decimal number at most: more than any number of 16 bytes has.
const PLACES: i32 = 38;

/// What the values of a column stand for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Meaning {
    Text,
    /// A whole number; unsigned in so many bits.
    Integer {
        unsigned: Option<u32>,
    },
    Float,
    /// A whole number of units of the last decimal place.
    Decimal {
        places: u32,
    },
    /// Days from 1970-01-01.
    Date,
    /// So many nanoseconds from midnight.
    Time {
        unit: i128,
    },
    /// So many nanoseconds from 1970-01-01, in universal or in local time.
    Timestamp {
        unit: i128,
        universal: bool,
    },
    Uuid,
}

impl Meaning {
    /// What a column's values stand for; none where they are nothing that a CSV file could hold.
    pub(super) fn of(column: &ColumnDescriptor) -> Option<Self> {
        let physical = column.physical_type();
        let whole = matches!(physical, Type::INT32 | Type::INT64);
        let meaning = match column.logical_type_ref() {
            Some(logical) => Self::of_logical(logical)?,
            None => Self::of_converted(column)?,
        };
        let fits = match meaning {
            Self::Text => physical == Type::BYTE_ARRAY,
            Self::Integer { .. } => whole || physical == Type::BOOLEAN,
            Self::Float => matches!(physical, Type::FLOAT | Type::DOUBLE),
            Self::Uuid => physical == Type::FIXED_LEN_BYTE_ARRAY && column.type_length() == 16,
            Self::Decimal { .. } => whole || matches!(physical, Type::BYTE_ARRAY | Type::FIXED_LEN_BYTE_ARRAY),
            Self::Date => physical == Type::INT32,
            Self::Time { .. } => whole,
            Self::Timestamp { .. } => matches!(physical, Type::INT64 | Type::INT96),
        };
        fits.then_some(meaning)
    }

    fn of_logical(logical: &LogicalType) -> Option<Self> {
        let unit = |unit: &TimeUnit| match unit {
            TimeUnit::MILLIS => 1_000_000,
            TimeUnit::MICROS => 1_000,
            TimeUnit::NANOS => 1,
        };
        Some(match logical {
            LogicalType::String | LogicalType::Enum | LogicalType::Json => Self::Text,
            LogicalType::Integer(whole) => Self::Integer {
                unsigned: (!whole.is_signed).then_some(whole.bit_width as u32),
            },
            LogicalType::Decimal(decimal) => Self::decimal(decimal.scale)?,
            LogicalType::Date => Self::Date,
            LogicalType::Time(time) => Self::Time { unit: unit(&time.unit) },
            LogicalType::Timestamp(timestamp) => Self::Timestamp {
                unit: unit(&timestamp.unit),
                universal: timestamp.is_adjusted_to_u_t_c,
            },
            LogicalType::Uuid => Self::Uuid,
            // A column without any value.
            LogicalType::Unknown => Self::Integer { unsigned: None },
            _ => return None,
        })
    }

    /// Of files that were written before there were logical types.
    fn of_converted(column: &ColumnDescriptor) -> Option<Self> {
        let unsigned = |bits| Self::Integer { unsigned: Some(bits) };
        let timestamp = |unit| Self::Timestamp { unit, universal: true };
        Some(match column.converted_type() {
            ConvertedType::UTF8 | ConvertedType::ENUM | ConvertedType::JSON => Self::Text,
            ConvertedType::DECIMAL => Self::decimal(column.type_scale())?,
            ConvertedType::DATE => Self::Date,
            ConvertedType::TIME_MILLIS => Self::Time { unit: 1_000_000 },
            ConvertedType::TIME_MICROS => Self::Time { unit: 1_000 },
            ConvertedType::TIMESTAMP_MILLIS => timestamp(1_000_000),
            ConvertedType::TIMESTAMP_MICROS => timestamp(1_000),
            ConvertedType::UINT_8 => unsigned(8),
            ConvertedType::UINT_16 => unsigned(16),
            ConvertedType::UINT_32 => unsigned(32),
            ConvertedType::UINT_64 => unsigned(64),
            ConvertedType::INT_8 | ConvertedType::INT_16 | ConvertedType::INT_32 | ConvertedType::INT_64 => {
                Self::Integer { unsigned: None }
            }
            ConvertedType::NONE => match column.physical_type() {
                Type::BOOLEAN | Type::INT32 | Type::INT64 => Self::Integer { unsigned: None },
                Type::FLOAT | Type::DOUBLE => Self::Float,
                // Old writers leave out that bytes are text.
                Type::BYTE_ARRAY => Self::Text,
                Type::INT96 => Self::Timestamp {
                    unit: 1,
                    universal: false,
                },
                Type::FIXED_LEN_BYTE_ARRAY => return None,
            },
            _ => return None,
        })
    }

    fn decimal(scale: i32) -> Option<Self> {
        (0..=PLACES)
            .contains(&scale)
            .then_some(Self::Decimal { places: scale as u32 })
    }

    /// The text of a whole number, or of what is counted in one.
    pub(super) fn of_whole(self, value: i128) -> Result<Option<String>, Text> {
        let text = match self {
            Self::Decimal { places } => Some(decimal_text(value, places)),
            Self::Date => civil(value.checked_mul(DAY)).map(|civil| civil.date().to_string()),
            Self::Time { unit } => {
                let nanoseconds = value
                    .checked_mul(unit)
                    .filter(|nanoseconds| (0..DAY).contains(nanoseconds));
                civil(nanoseconds).map(|civil| civil.time().to_string())
            }
            Self::Timestamp { unit, universal: true } => {
                instant(value.checked_mul(unit)).map(|instant| instant.to_string())
            }
            Self::Timestamp { unit, universal: false } => civil(value.checked_mul(unit)).map(|civil| civil.to_string()),
            Self::Integer { unsigned: Some(bits) } if bits < 64 => Some((value & ((1 << bits) - 1)).to_string()),
            Self::Integer { unsigned: Some(_) } => Some((value & i128::from(u64::MAX)).to_string()),
            _ => Some(value.to_string()),
        };
        text.map(Some).ok_or_else(|| {
            Text::new(
                format!("{value} nằm ngoài các ngày giờ có thể"),
                format!("{value} is no date or time there can be"),
            )
        })
    }

    /// The text of bytes.
    pub(super) fn of_bytes(self, bytes: &[u8]) -> Result<Option<String>, Text> {
        match self {
            Self::Decimal { .. } => self.of_whole(big_endian(bytes)?),
            Self::Uuid => Ok(uuid::Uuid::from_slice(bytes).ok().map(|uuid| uuid.to_string())),
            _ => match std::str::from_utf8(bytes) {
                // As in CSV.
                Ok(text) => Ok(Some(text.trim())
                    .filter(|text| !super::super::is_missing(text))
                    .map(str::to_owned)),
                Err(_) => Err(Text::new(
                    "các byte không phải là văn bản UTF-8",
                    "the bytes are no UTF-8 text",
                )),
            },
        }
    }
}

/// The text of a floating-point number. One that is not a number is how some writers say that it is missing.
pub(super) fn of_float(value: f64) -> Option<String> {
    (!value.is_nan()).then(|| value.to_string())
}

/// Nanoseconds from 1970-01-01 of a time stamp of twelve bytes: nanoseconds of the day, and the Julian day.
pub(super) fn of_julian(stamp: &Int96) -> i128 {
    let part = |place: usize| stamp.data().get(place).copied().unwrap_or(0);
    let nanoseconds = u64::from(part(1)) << 32 | u64::from(part(0));
    (i128::from(part(2) as i32) - JULIAN_DAY_OF_1970) * DAY + i128::from(nanoseconds)
}

fn instant(nanoseconds: Option<i128>) -> Option<Timestamp> {
    Timestamp::from_nanosecond(nanoseconds?).ok()
}

fn civil(nanoseconds: Option<i128>) -> Option<DateTime> {
    instant(nanoseconds).map(|instant| TimeZone::UTC.to_datetime(instant))
}

fn decimal_text(value: i128, places: u32) -> String {
    if places == 0 {
        return value.to_string();
    }
    let places = places as usize;
    let digits = format!("{:0>width$}", value.unsigned_abs(), width = places + 1);
    let (whole, part) = digits.split_at(digits.len() - places);
    let sign = if value < 0 { "-" } else { "" };
    format!("{sign}{whole}.{part}")
}

/// A whole number in two's complement, highest byte first.
fn big_endian(bytes: &[u8]) -> Result<i128, Text> {
    let fill = if bytes.first().is_some_and(|first| first & 0x80 != 0) {
        0xff
    } else {
        0
    };
    let mut full = [fill; 16];
    let start = full.len().checked_sub(bytes.len());
    match start.and_then(|start| full.get_mut(start..)) {
        Some(place) => place.copy_from_slice(bytes),
        None => {
            return Err(Text::new(
                "số thập phân có hơn 38 chữ số",
                "the decimal number has more than 38 digits",
            ));
        }
    }
    Ok(i128::from_be_bytes(full))
}
