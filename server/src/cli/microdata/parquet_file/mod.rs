//! Microdata in a Parquet file.
//!
//! Values become the texts that a CSV file would have, so that the same data give the same figures either way. What a file
//! claims of itself is checked before room is made for it.

mod cells;
mod footer;
mod pages;

use std::cell::Cell;
use std::collections::HashSet;
use std::fmt::Display;
use std::hash::Hash;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Once};

use bytes::Bytes;
use parquet::basic::{CompressionCodec, Repetition, Type};
use parquet::column::reader::ColumnReaderImpl;
use parquet::data_type::{
    BoolType, ByteArrayType, DataType, DoubleType, FixedLenByteArrayType, FloatType, Int32Type, Int64Type, Int96Type,
};
use parquet::file::metadata::{ColumnChunkMetaData, RowGroupMetaData};
use parquet::file::reader::FileReader;
use parquet::file::serialized_reader::{SerializedFileReader, SerializedPageReader};
use parquet::schema::types::SchemaDescriptor;

use super::column::{Column, ColumnBuilder};
use crate::http::Text;
use crate::table::FILE_BYTES;
use cells::Meaning;
use pages::{Packing, Pages};

/// How a Parquet file begins and ends.
const MARK: &[u8; 4] = b"PAR1";
/// Cells at most: as many as a CSV file of the largest size can have.
const CELLS: usize = FILE_BYTES / 2;
/// Rows that are read at once.
const BATCH: usize = 8192;

/// A column that cannot be used, with the reason.
pub(super) type Unusable = (String, Text);

/// The columns of a file, in its order.
#[derive(Debug)]
pub(super) struct ParquetTable {
    pub(super) columns: Vec<(String, Column)>,
    pub(super) unusable: Vec<Unusable>,
    pub(super) rows: usize,
}

/// Whether a file is a Parquet file, broken or not: its mark is followed by what no text has.
pub(super) fn is_parquet(bytes: &[u8]) -> bool {
    let after = bytes.strip_prefix(MARK).map(|rest| rest.first());
    after.is_some_and(|first| first.is_none_or(|byte| byte.is_ascii_control() && !byte.is_ascii_whitespace()))
}

/// Reads a file of at most [`FILE_BYTES`].
///
/// # Errors
/// What is wrong with it.
pub(super) fn read(bytes: Vec<u8>) -> Result<ParquetTable, Text> {
    if !footer::is_plausible(&bytes) {
        return Err(Text::new(
            "tệp Parquet hỏng hoặc không đủ: phần cuối tệp không đọc được",
            "the Parquet file is broken or not whole: its footer cannot be read",
        ));
    }
    without_panics(|| read_columns(&Bytes::from(bytes)))
}

/// Takes a panic as an answer: on some broken files, the library panics where it should report an error.
fn without_panics<T>(read: impl FnOnce() -> Result<T, Text>) -> Result<T, Text> {
    thread_local! {
        static READING: Cell<bool> = const { Cell::new(false) };
    }
    static QUIET: Once = Once::new();
    QUIET.call_once(|| {
        let told = std::panic::take_hook();
        std::panic::set_hook(Box::new(move |panic| {
            if !READING.get() {
                told(panic);
            }
        }));
    });
    READING.set(true);
    let outcome = catch_unwind(AssertUnwindSafe(read));
    READING.set(false);
    outcome.unwrap_or_else(|_| Err(broken("its parts do not fit together")))
}

fn broken(reason: impl Display) -> Text {
    Text::new(
        format!("tệp Parquet hỏng: {reason}"),
        format!("the Parquet file is broken: {reason}"),
    )
}

fn of_column(name: &str, problem: Text) -> Text {
    Text::new(
        format!("cột {name}: {}", problem.vi),
        format!("column {name}: {}", problem.en),
    )
}

/// A column that can be used.
struct Usable {
    name: String,
    /// Its place among those that hold values.
    leaf: usize,
    meaning: Meaning,
}

fn read_columns(file: &Bytes) -> Result<ParquetTable, Text> {
    let reader = SerializedFileReader::new(file.clone()).map_err(broken)?;
    let metadata = reader.metadata();
    let schema = metadata.file_metadata().schema_descr();
    let (usable, unusable) = columns(schema)?;
    let rows = row_counts(metadata.row_groups(), metadata.file_metadata().num_rows())?;
    let total: usize = rows.iter().sum();
    check_size(total, &usable, metadata.row_groups())?;
    let mut columns = Vec::new();
    for column in usable {
        let groups = metadata.row_groups().iter().zip(&rows);
        let parts = Parts {
            file,
            chunks: groups.map(|(group, rows)| (group.column(column.leaf), *rows)).collect(),
        };
        let physical = schema.column(column.leaf).physical_type();
        let read = parts
            .column(physical, column.meaning)
            .map_err(|problem| of_column(&column.name, problem))?;
        columns.push((column.name, read));
    }
    Ok(ParquetTable {
        columns,
        unusable,
        rows: total,
    })
}

/// The columns that can be used, and those that cannot.
fn columns(schema: &SchemaDescriptor) -> Result<(Vec<Usable>, Vec<Unusable>), Text> {
    let fields = schema.root_schema().get_fields();
    let mut leaves: Vec<Option<usize>> = vec![None; fields.len()];
    for leaf in 0..schema.num_columns() {
        if let Some(first) = leaves.get_mut(schema.get_column_root_idx(leaf)) {
            first.get_or_insert(leaf);
        }
    }
    let (mut usable, mut unusable, mut names) = (Vec::new(), Vec::new(), HashSet::new());
    for (field, leaf) in fields.iter().zip(leaves) {
        let name = field.name().trim().to_owned();
        if !names.insert(name.clone()) {
            return Err(of_column(
                &name,
                Text::new("có hai cột cùng tên này", "two columns have this name"),
            ));
        }
        let info = field.get_basic_info();
        let is_repeated = info.has_repetition() && info.repetition() == Repetition::REPEATED;
        match leaf {
            Some(leaf) if field.is_primitive() && !is_repeated => match Meaning::of(&schema.column(leaf)) {
                Some(meaning) => usable.push(Usable { name, leaf, meaning }),
                None => unusable.push((
                    name.clone(),
                    of_column(
                        &name,
                        Text::new(
                            "kiểu dữ liệu này không dùng được; hãy ghi cột thành số, văn bản hoặc ngày",
                            "this type of data cannot be used; write the column as numbers, text or dates",
                        ),
                    ),
                )),
            },
            _ => unusable.push((
                name.clone(),
                of_column(
                    &name,
                    Text::new(
                        "cột chứa danh sách hoặc cột con; mỗi ô phải có một giá trị",
                        "the column holds lists or columns of its own; each cell must have one value",
                    ),
                ),
            )),
        }
    }
    Ok((usable, unusable))
}

/// The rows of each group, which must add up to those of the file.
fn row_counts(groups: &[RowGroupMetaData], total: i64) -> Result<Vec<usize>, Text> {
    let counts: Option<Vec<usize>> = groups
        .iter()
        .map(|group| usize::try_from(group.num_rows()).ok())
        .collect();
    let sum = |counts: &Vec<usize>| counts.iter().try_fold(0_usize, |sum, count| sum.checked_add(*count));
    match counts {
        Some(counts) if sum(&counts).is_some_and(|sum| usize::try_from(total) == Ok(sum)) => Ok(counts),
        _ => Err(broken("its groups do not have as many rows as it says")),
    }
}

fn check_size(rows: usize, usable: &[Usable], groups: &[RowGroupMetaData]) -> Result<(), Text> {
    if rows == 0 {
        return Err(Text::new("bảng không có dòng dữ liệu nào", "the table has no rows"));
    }
    let cells = rows.saturating_mul(usable.len());
    if cells > CELLS {
        return Err(Text::new(
            format!("bảng có {cells} ô, nhiều hơn {CELLS}; hãy bỏ bớt cột"),
            format!("the table has {cells} cells, more than {CELLS}; leave columns out"),
        ));
    }
    let mut bytes = 0_usize;
    for group in groups {
        for column in usable {
            let size = usize::try_from(group.column(column.leaf).uncompressed_size())
                .map_err(|_| broken("a column has a negative size"))?;
            bytes = bytes.saturating_add(size);
        }
    }
    if bytes > FILE_BYTES {
        return Err(Text::new(
            format!("khi giải nén, tệp có {bytes} byte, nhiều hơn {FILE_BYTES}; hãy bỏ bớt cột"),
            format!("unpacked, the file has {bytes} bytes, more than {FILE_BYTES}; leave columns out"),
        ));
    }
    Ok(())
}

/// The parts of a column: one in each group of rows, with the number of its rows.
struct Parts<'a> {
    file: &'a Bytes,
    chunks: Vec<(&'a ColumnChunkMetaData, usize)>,
}

impl Parts<'_> {
    fn column(&self, physical: Type, meaning: Meaning) -> Result<Column, Text> {
        let whole = |value: &i128| meaning.of_whole(*value);
        let float = |bits: &u64| Ok(cells::of_float(f64::from_bits(*bits)));
        let bytes = |value: &Vec<u8>| meaning.of_bytes(value);
        match physical {
            Type::BOOLEAN => self.values::<BoolType, _>(|value| i128::from(*value), whole),
            Type::INT32 => self.values::<Int32Type, _>(|value| i128::from(*value), whole),
            Type::INT64 => self.values::<Int64Type, _>(|value| i128::from(*value), whole),
            Type::INT96 => self.values::<Int96Type, _>(cells::of_julian, whole),
            Type::FLOAT => self.values::<FloatType, _>(|value| f64::from(*value).to_bits(), float),
            Type::DOUBLE => self.values::<DoubleType, _>(|value| value.to_bits(), float),
            Type::BYTE_ARRAY => self.values::<ByteArrayType, _>(|value| value.data().to_vec(), bytes),
            Type::FIXED_LEN_BYTE_ARRAY => self.values::<FixedLenByteArrayType, _>(|value| value.data().to_vec(), bytes),
        }
    }

    /// The column whose values are of a type of the library; `text` is asked once for each different `key`.
    fn values<T: DataType, K: Hash + Eq>(
        &self,
        key: impl Fn(&T::T) -> K,
        text: impl Fn(&K) -> Result<Option<String>, Text>,
    ) -> Result<Column, Text> {
        let mut column = ColumnBuilder::new();
        for (chunk, rows) in &self.chunks {
            let pages = pages(self.file, chunk, *rows)?;
            let mut reader = ColumnReaderImpl::<T>::new(chunk.column_descr_ptr(), Box::new(pages));
            let is_optional = chunk.column_descr().max_def_level() > 0;
            let (mut levels, mut values) = (Vec::new(), Vec::new());
            let mut left = *rows;
            while left > 0 {
                levels.clear();
                values.clear();
                let wanted = left.min(BATCH);
                let (found, _, _) = reader
                    .read_records(wanted, Some(&mut levels), None, &mut values)
                    .map_err(broken)?;
                if found == 0 {
                    return Err(broken("it has fewer values than rows"));
                }
                left -= found;
                let mut present = values.iter();
                for row in 0..found {
                    // At level 0 there is no value.
                    let is_missing = is_optional && levels.get(row) == Some(&0);
                    let value = if is_missing { None } else { present.next() };
                    column.push(value.map(&key), &text)?;
                }
            }
        }
        Ok(column.build())
    }
}

/// The pages of a column in one group of rows.
fn pages(file: &Bytes, chunk: &ColumnChunkMetaData, rows: usize) -> Result<Pages, Text> {
    let codec = chunk.compression_codec();
    let packing = Packing::of(codec).ok_or_else(|| {
        Text::new(
            format!("nén kiểu {codec} không đọc được; hãy ghi tệp với snappy, gzip, zstd hoặc không nén"),
            format!("compression {codec} cannot be read; write the file with snappy, gzip, zstd or none"),
        )
    })?;
    let offsets = [Some(chunk.data_page_offset()), chunk.dictionary_page_offset()];
    let end = chunk
        .compressed_size()
        .checked_add(offsets.into_iter().flatten().max().unwrap_or(0));
    let is_inside = offsets.iter().flatten().all(|offset| *offset >= 0)
        && chunk.compressed_size() >= 0
        && end.is_some_and(|end| end <= file.len() as i64);
    if !is_inside {
        return Err(broken("a part lies outside the file"));
    }
    // As if they were not packed: they are unpacked within limits.
    let unpacked = chunk.clone().into_builder();
    let unpacked = unpacked
        .set_compression_codec(CompressionCodec::UNCOMPRESSED)
        .build()
        .map_err(broken)?;
    let reader = SerializedPageReader::new(Arc::new(file.clone()), &unpacked, rows, None).map_err(broken)?;
    Ok(Pages::new(
        reader,
        packing,
        chunk.uncompressed_size().max(0) as usize,
        rows,
    ))
}

#[cfg(test)]
mod tests {
    use parquet::data_type::ByteArray;
    use parquet::file::writer::SerializedFileWriter;
    use parquet::schema::parser::parse_message_type;

    use super::*;

    /// A small file of two groups of rows, with and without missing values, repeated texts and dates.
    fn sound() -> Vec<u8> {
        let schema = "message table { REQUIRED INT64 w; OPTIONAL BYTE_ARRAY text (UTF8); OPTIONAL DOUBLE x; \
                      OPTIONAL INT32 day (DATE); OPTIONAL BOOLEAN owns; }";
        let schema = Arc::new(parse_message_type(schema).unwrap());
        let mut writer = SerializedFileWriter::new(Vec::new(), schema, Arc::default()).unwrap();
        for group in 0..2 {
            let mut rows = writer.next_row_group().unwrap();
            let levels = [1, 0, 1, 1];
            let mut column = rows.next_column().unwrap().unwrap();
            let weights = [1, 2, 3, 4 + group];
            column.typed::<Int64Type>().write_batch(&weights, None, None).unwrap();
            column.close().unwrap();
            let mut column = rows.next_column().unwrap().unwrap();
            let texts = ["nam", "nữ", "nam"].map(ByteArray::from);
            column
                .typed::<ByteArrayType>()
                .write_batch(&texts, Some(&levels), None)
                .unwrap();
            column.close().unwrap();
            let mut column = rows.next_column().unwrap().unwrap();
            let numbers = [0.5, f64::NAN, -1.0];
            column
                .typed::<DoubleType>()
                .write_batch(&numbers, Some(&levels), None)
                .unwrap();
            column.close().unwrap();
            let mut column = rows.next_column().unwrap().unwrap();
            let days = [20_270, 0, -1];
            column
                .typed::<Int32Type>()
                .write_batch(&days, Some(&levels), None)
                .unwrap();
            column.close().unwrap();
            let mut column = rows.next_column().unwrap().unwrap();
            let truths = [true, false, true];
            column
                .typed::<BoolType>()
                .write_batch(&truths, Some(&levels), None)
                .unwrap();
            column.close().unwrap();
            rows.close().unwrap();
        }
        writer.into_inner().unwrap()
    }

    #[test]
    fn a_sound_file_is_read() {
        let table = read(sound()).unwrap();
        let column = |place: usize| table.columns[place].1.texts().take(4).collect::<Vec<_>>();
        assert_eq!(table.rows, 8);
        assert_eq!(column(0), ["1", "2", "3", "4"].map(Some));
        assert_eq!(column(1), [Some("nam"), None, Some("nữ"), Some("nam")]);
        assert_eq!(column(2), [Some("0.5"), None, None, Some("-1")]);
        assert_eq!(
            column(3),
            [Some("2025-07-01"), None, Some("1970-01-01"), Some("1969-12-31")]
        );
        assert_eq!(column(4), [Some("1"), None, Some("0"), Some("1")]);
    }

    /// Cut off anywhere, and with any byte changed, a file is read or refused; it neither panics nor takes memory without
    /// bounds.
    #[test]
    fn broken_files_are_read_or_refused() {
        let sound = sound();
        for end in (0..sound.len()).step_by(5) {
            assert!(read(sound[..end].to_vec()).is_err(), "{end}");
        }
        let mut refused = 0;
        for place in 0..sound.len() {
            for change in [0xff, 1 << (place % 8)] {
                let mut broken = sound.clone();
                broken[place] ^= change;
                refused += usize::from(read(broken).is_err());
            }
        }
        assert!(refused > sound.len() / 3, "{refused} of {}", sound.len());
    }

    #[test]
    fn a_footer_that_claims_more_than_it_holds_is_refused() {
        let file = |footer: &[u8]| {
            let length = (footer.len() as u32).to_le_bytes();
            [MARK, footer, &length, MARK].concat()
        };
        // Version 1; a schema of one group with no columns; no rows; no groups of rows.
        let schema = [0x15, 0x02, 0x19, 0x1c, 0x48, 0x01, b't', 0x15, 0x00, 0x00];
        let rest = [0x16, 0x00, 0x19, 0x0c, 0x00];
        assert!(footer::is_plausible(&file(&[&schema[..], &rest].concat())));
        // The same with two thousand million entries.
        let many = [
            0x15, 0x02, 0x19, 0xfc, 0xff, 0xff, 0xff, 0xff, 0x07, 0x48, 0x01, b't', 0x15, 0x00, 0x00,
        ];
        assert!(!footer::is_plausible(&file(&[&many[..], &rest].concat())));
        // With as many children.
        let children = [
            0x15, 0x02, 0x19, 0x1c, 0x48, 0x01, b't', 0x15, 0xfe, 0xff, 0xff, 0xff, 0x0f, 0x00,
        ];
        assert!(!footer::is_plausible(&file(&[&children[..], &rest].concat())));
        // With groups of rows without end.
        let groups = [0x16, 0x00, 0x19, 0xfc, 0xff, 0xff, 0xff, 0xff, 0x07, 0x00];
        assert!(!footer::is_plausible(&file(&[&schema[..], &groups].concat())));
        assert!(!footer::is_plausible(b"PAR1"));
    }

    #[test]
    fn text_that_begins_like_a_parquet_file_is_text() {
        assert!(is_parquet(&sound()));
        assert!(is_parquet(b"PAR1"));
        assert!(!is_parquet(b"PAR1,age\n1,2\n"));
        assert!(!is_parquet(b"PAR1\n1\n"));
        assert!(!is_parquet(b"PAR1_a,b\n"));
    }
}
