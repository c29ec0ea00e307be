//! Hostile workbooks cost bounded memory and time. One test in a binary of its own, so that nothing else is counted.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)] // a test's own helpers fail by panicking

use std::io::{Cursor, Write};
use std::time::Instant;

use peak_alloc::PeakAlloc;
use survey_forms::workbook::{MAX_INFLATED_BYTES, MAX_TEXT_BYTES, read};

#[global_allocator]
static MEMORY: PeakAlloc = PeakAlloc;

/// The content of a part: blocks of bytes and how often each is repeated.
type Blocks<'a> = &'a [(&'a [u8], usize)];

/// A zip archive of parts.
fn archive(parts: &[(&str, Blocks<'_>)]) -> Vec<u8> {
    let mut writer = zip::ZipWriter::new(Cursor::new(Vec::new()));
    let options = zip::write::SimpleFileOptions::default().compression_level(Some(1));
    for (name, blocks) in parts {
        writer.start_file(*name, options).unwrap();
        for (block, times) in *blocks {
            // Many blocks at a time, because a call for each takes long.
            let together = (1 << 16) / block.len() + 1;
            let many = block.repeat(together);
            for _ in 0..times / together {
                writer.write_all(&many).unwrap();
            }
            writer.write_all(&block.repeat(times % together)).unwrap();
        }
    }
    writer.finish().unwrap().into_inner()
}

/// An `.xlsx` without styles: blocks of its sheet and of its shared strings.
fn office_open(sheet: Blocks<'_>, strings: Blocks<'_>) -> Vec<u8> {
    let relationships = br#"<Relationships><Relationship Id="a" Type="/worksheet" Target="sheet.xml"/><Relationship Id="b" Type="/sharedStrings" Target="strings.xml"/></Relationships>"#;
    archive(&[
        (
            "xl/workbook.xml",
            &[(
                br#"<workbook><sheets><sheet name="survey" id="a"/></sheets></workbook>"#,
                1,
            )],
        ),
        ("xl/_rels/workbook.xml.rels", &[(relationships, 1)]),
        ("xl/sheet.xml", sheet),
        ("xl/strings.xml", strings),
    ])
}

/// What is hostile, and the file.
fn hostile_files() -> Vec<(&'static str, Vec<u8>)> {
    let ods = |blocks: Blocks<'_>| archive(&[("mimetype", &[(b"x", 1)]), ("content.xml", blocks)]);
    vec![
        ("a part that inflates to zeros", ods(&[(&[0; 1 << 16], 1 << 11)])),
        ("a part of the largest size", ods(&[(&[b' '; 1 << 16], (1 << 10) - 1)])),
        ("many short shared strings", office_open(&[], &[(b"<sst>", 1), (b"<si/>", 12_000_000)])),
        (
            "a long shared string in many cells",
            office_open(
                &[(b"<x>", 1), (b"<row><c t=\"s\"><v>0</v></c></row>", 1_000_000), (b"</x>", 1)],
                &[(b"<sst><si><t>", 1), (&[b'x'; 1 << 10], 1 << 10), (b"</t></si></sst>", 1)],
            ),
        ),
        (
            "a million cells",
            office_open(&[(b"<x>", 1), (b"<row>", 1), (b"<c><v>1</v></c>", 400), (b"</row>", 1), (b"<row><c/></row>", 100), (b"<row><c><v>1</v></c><c><v>1</v></c></row>", 1_000_000)], &[]),
        ),
        ("many elements that stay open", office_open(&[(b"<a>", 20_000_000)], &[])),
        ("an element of many attributes", office_open(&[(b"<a", 1), (b" b=''", 10_000_000), (b">", 1)], &[])),
        (
            "many sheets",
            archive(&[("xl/workbook.xml", &[(b"<workbook>", 1), (b"<sheet name='survey'/>", 2_500_000)])]),
        ),
        (
            "repeated rows and columns",
            ods(&[
                (b"<table name='survey'>", 1),
                (b"<table-row number-rows-repeated='1048576'><table-cell number-columns-repeated='16384'><p>x</p></table-cell></table-row>", 100_000),
            ]),
        ),
        (
            "elements that stand for spaces",
            ods(&[(b"<table name='survey'><table-row><table-cell><p>", 1), (b"<s c='1000'/>", 4_000_000)]),
        ),
        ("a large Markdown file", b"| survey |\n| | type |\n| | note |\n".repeat(3_000_000)),
        ("Markdown of many small cells", [&b"| survey |\n"[..], &b"|a".repeat(4_000_000), b"|\n"].concat()),
        ("CSV of many small rows", [&b"survey\n"[..], &b",a\n".repeat(2_700_000)].concat()),
        ("CSV of many small fields", [&b"survey\n"[..], &b",".repeat(8_000_000), b"a\n"].concat()),
        ("CSV of many small fields on lines of their own", [&b"survey\n"[..], &b"\"\n\",".repeat(2_000_000), b"a\n"].concat()),
        ("CSV of many sheets", [&b"survey\n"[..], &(0..1_000_000).flat_map(|sheet| format!("{sheet}\n").into_bytes()).collect::<Vec<u8>>()].concat()),
        ("CSV with a quote that never ends", [&b"survey\n,\""[..], &b"a\n".repeat(4_000_000)].concat()),
        ("zeros after the mark of a compound file", {
            let mut bytes = vec![0; 8 << 20];
            bytes[..8].copy_from_slice(&[0xd0, 0xcf, 0x11, 0xe0, 0xa1, 0xb1, 0x1a, 0xe1]);
            bytes[30] = 9;
            bytes
        }),
        ("records of nothing", [&[9, 8, 4, 0, 0, 6, 5, 0][..], &[0xe0, 0, 4, 0, 0, 0, 0, 0].repeat(1_000_000)].concat()),
    ]
}

#[test]
fn hostile_workbooks_cost_bounded_memory() {
    // The largest part in memory twice while it grows, the texts of the cells, and what keeps them in order.
    let most = usize::try_from(3 * MAX_INFLATED_BYTES + MAX_TEXT_BYTES).unwrap();
    for (what, bytes) in hostile_files() {
        let before = MEMORY.current_usage();
        MEMORY.reset_peak_usage();
        let started = Instant::now();
        let read = read(&bytes, Some("form"));
        let (used, took) = (MEMORY.peak_usage().saturating_sub(before), started.elapsed());
        println!(
            "{what}: {} bytes, {used} bytes used, {took:?}, {:?}",
            bytes.len(),
            read.as_ref().err().map(ToString::to_string)
        );
        assert!(used < most, "{what} used {used} bytes, more than {most}");
        if let Err(problems) = read {
            assert!(!problems.vietnamese().is_empty());
        }
    }
}
