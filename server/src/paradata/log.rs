//! Reading a log in the format of ODK Collect's `audit.csv` (ODK XForms, "Client Audit Logs"). A file is what a phone wrote,
//! or somebody else in its name: what cannot be right is told by line and left out.

use csv::{ReaderBuilder, StringRecord};

use crate::http::Text;

/// Faults that are told of one file.
const FAULTS: usize = 20;
/// The last millisecond of the year 9999: a time after it is none.
const LAST_MOMENT: i64 = 253_402_300_799_999;
/// Bytes of a node's path at most.
const NODE_BYTES: usize = 1_000;
/// The events that have an end (Collect's `AuditEventType`).
const INTERVALS: [&str; 5] = ["question", "group questions", "add repeat", "end screen", "jump"];

/// Something wrong with a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Fault {
    /// The line, from 1; none where the whole file is at fault.
    pub(crate) line: Option<u64>,
    /// What is wrong.
    pub(crate) problem: Text,
}

/// A stretch of time in which something was shown or answered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Interval {
    /// The path of what was shown; empty where it is no part of the form.
    pub(crate) node: String,
    /// In milliseconds since 1970-01-01T00:00:00Z by the phone's clock.
    pub(crate) start: i64,
    pub(crate) end: i64,
    /// Whether an answer became another one in it; none where the file does not say.
    pub(crate) edited: Option<bool>,
}

/// What a file tells.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Log {
    pub(crate) intervals: Vec<Interval>,
    /// How often the form was opened: at the beginning, and after each interruption.
    pub(crate) openings: u64,
}

/// Reads a file, and tells what is wrong with it.
pub(crate) fn read(bytes: &[u8]) -> (Log, Vec<Fault>) {
    let mut faults = Faults::default();
    let Ok(text) = std::str::from_utf8(bytes) else {
        faults.tell(None, "tệp không phải là chữ UTF-8", "the file is no UTF-8 text");
        return (Log::default(), faults.told);
    };
    let mut reader = ReaderBuilder::new()
        .flexible(true)
        .has_headers(false)
        .from_reader(text.as_bytes());
    let mut records = reader.records();
    let header = match records.next() {
        Some(Ok(header)) => header,
        _ => StringRecord::new(),
    };
    let Some(columns) = Columns::of(&header) else {
        faults.tell(
            Some(1),
            "dòng đầu phải có các cột event, node, start, end",
            "the first line must have the columns event, node, start and end",
        );
        return (Log::default(), faults.told);
    };
    let mut log = Log::default();
    for record in records {
        let record = match record {
            Ok(record) => record,
            Err(error) => {
                let line = error.position().map(csv::Position::line);
                faults.tell(line, "không đọc được dòng này", "the line cannot be read");
                continue;
            }
        };
        let line = record.position().map(csv::Position::line);
        if record.len() != header.len() {
            faults.tell(
                line,
                "dòng không có đủ số ô như dòng đầu",
                "the line has not as many cells as the first",
            );
            continue;
        }
        match columns.event(&record) {
            Ok(Event::Interval(interval)) => log.intervals.push(interval),
            Ok(Event::Opening) => log.openings += 1,
            Ok(Event::Other) => {}
            Err((vi, en)) => faults.tell(line, vi, en),
        }
    }
    (log, faults.told)
}

#[derive(Default)]
struct Faults {
    told: Vec<Fault>,
}

impl Faults {
    fn tell(&mut self, line: Option<u64>, vi: &str, en: &str) {
        if self.told.len() < FAULTS {
            self.told.push(Fault {
                line,
                problem: Text::new(vi, en),
            });
        }
    }
}

enum Event {
    Interval(Interval),
    Opening,
    /// One that says nothing about times.
    Other,
}

/// Where the columns are.
struct Columns {
    event: usize,
    node: usize,
    start: usize,
    end: usize,
    /// The answers before and after, where the form asked to track changes.
    values: Option<(usize, usize)>,
}

impl Columns {
    fn of(header: &StringRecord) -> Option<Self> {
        let column = |name: &str| header.iter().position(|cell| cell == name);
        Some(Self {
            event: column("event")?,
            node: column("node")?,
            start: column("start")?,
            end: column("end")?,
            values: column("old-value").zip(column("new-value")),
        })
    }

    fn event(&self, record: &StringRecord) -> Result<Event, (&'static str, &'static str)> {
        let cell = |column: usize| record.get(column).unwrap_or_default();
        let time = |column: usize| {
            let time = cell(column).parse::<i64>().ok();
            time.filter(|time| (0..=LAST_MOMENT).contains(time))
        };
        let start = time(self.start).ok_or(("start không phải là thời điểm", "start is no time"))?;
        match cell(self.event) {
            "form start" | "form resume" => return Ok(Event::Opening),
            name if INTERVALS.contains(&name) => {}
            _ => return Ok(Event::Other),
        }
        let end = time(self.end).ok_or(("end không phải là thời điểm", "end is no time"))?;
        if end < start {
            return Err(("end trước start", "end is before start"));
        }
        let node = cell(self.node);
        let is_path = node.is_empty() || node.starts_with('/');
        if !is_path || node.len() > NODE_BYTES || node.chars().any(char::is_control) {
            return Err(("node không phải là đường dẫn", "node is no path"));
        }
        let edited = self.values.map(|(old, new)| {
            let (old, new) = (cell(old), cell(new));
            !old.is_empty() && old != new
        });
        Ok(Event::Interval(Interval {
            node: node.to_owned(),
            start,
            end,
            edited,
        }))
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)] // a test fails by panicking

    use proptest::prelude::*;

    use super::*;

    /// As Collect writes it with all its columns, an answer with a comma, a line break and a quote among them.
    const WHOLE: &str = "event,node,start,end,latitude,longitude,accuracy,old-value,new-value,user,change-reason\n\
        form start,,1000,,,,,,,Ba,\n\
        question,/data/name,1000,3500,10.36,106.36,12.5,,\"Hoa, \"\"Sáu\"\"\nBa\",Ba,\n\
        group questions,/data/members[1],3500,9000,10.36,106.36,12.5,,,Ba,\n\
        question,/data/members[1]/age,4000,5000,10.36,106.36,12.5,40,41,Ba,\n\
        form exit,,9000,,,,,,,Ba,\n";

    #[test]
    fn what_collect_writes_is_read() {
        let (log, faults) = read(WHOLE.as_bytes());
        assert_eq!(faults, []);
        assert_eq!(log.openings, 1);
        let read: Vec<_> = log
            .intervals
            .iter()
            .map(|interval| (interval.node.as_str(), interval.start, interval.end, interval.edited))
            .collect();
        assert_eq!(
            read,
            [
                ("/data/name", 1000, 3500, Some(false)),
                ("/data/members[1]", 3500, 9000, Some(false)),
                ("/data/members[1]/age", 4000, 5000, Some(true)),
            ]
        );
    }

    #[test]
    fn what_cannot_be_right_is_told_by_line_and_the_rest_is_read() {
        let file = "event,node,start,end\n\
            question,/data/a,1,2\n\
            question,/data/b,soon,2\n\
            question,/data/c,5,4\n\
            question,/data/d,5\n\
            question,=cmd(),5,6\n\
            question,/data/e,99999999999999999,6\n\
            a new kind of event,,7,\n\
            question,/data/f,7,8\n";
        let (log, faults) = read(file.as_bytes());
        let lines: Vec<_> = faults.iter().map(|fault| fault.line.unwrap()).collect();
        assert_eq!(lines, [3, 4, 5, 6, 7]);
        let nodes: Vec<_> = log.intervals.iter().map(|interval| interval.node.as_str()).collect();
        assert_eq!(nodes, ["/data/a", "/data/f"]);
        for (rubbish, line) in [
            (&b""[..], Some(1)),
            (b"\xff\xfe", None),
            (b"a,b\n1,2\n", Some(1)),
            (b"\"", Some(1)),
        ] {
            let (log, faults) = read(rubbish);
            assert_eq!(log, Log::default());
            assert_eq!(faults.first().unwrap().line, line);
        }
    }

    proptest! {
        #[test]
        fn nothing_makes_it_panic(bytes in proptest::collection::vec(any::<u8>(), 0..300)) {
            let mut file = b"event,node,start,end,old-value,new-value\n".to_vec();
            file.extend(&bytes);
            for file in [&bytes, &file] {
                let (_, faults) = read(file);
                prop_assert!(faults.len() <= FAULTS);
            }
        }

        #[test]
        fn a_file_that_is_changed_somewhere_is_read_or_told(place in 0..WHOLE.len(), byte in any::<u8>()) {
            let mut file = WHOLE.as_bytes().to_vec();
            file[place] = byte;
            let (log, _) = read(&file);
            prop_assert!(log.intervals.iter().all(|interval| interval.start <= interval.end));
        }
    }
}
