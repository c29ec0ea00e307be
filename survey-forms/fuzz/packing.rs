//! Packs XML into workbooks. A fuzzer would hardly ever get past the check sums of an archive, so it damages the XML in
//! it instead.

use std::io::{Cursor, Write};

/// The workbooks that an input stands for: itself, and if it is XML also an `.ods` and an `.xlsx` around it. In the
/// latter it is the sheet and the table of strings and styles at once.
pub(crate) fn workbooks(input: &[u8]) -> Vec<Vec<u8>> {
    let mut workbooks = vec![input.to_vec()];
    if input.starts_with(b"<") {
        workbooks.push(archive(&[("mimetype", b""), ("content.xml", input)]));
        workbooks.push(archive(&[
            ("xl/workbook.xml", WORKBOOK),
            ("xl/_rels/workbook.xml.rels", RELATIONSHIPS),
            ("xl/all.xml", input),
        ]));
    }
    workbooks
}

const WORKBOOK: &[u8] = br#"<workbook><sheets><sheet name="survey" id="s"/></sheets></workbook>"#;

const RELATIONSHIPS: &[u8] = br#"<Relationships>
<Relationship Id="s" Type="/worksheet" Target="all.xml"/>
<Relationship Id="t" Type="/sharedStrings" Target="all.xml"/>
<Relationship Id="u" Type="/styles" Target="all.xml"/>
</Relationships>"#;

/// An archive of parts as they are; writing into memory does not fail.
fn archive(parts: &[(&str, &[u8])]) -> Vec<u8> {
    let mut writer = zip::ZipWriter::new(Cursor::new(Vec::new()));
    let options = zip::write::SimpleFileOptions::default().compression_method(zip::CompressionMethod::Stored);
    for (name, bytes) in parts {
        writer.start_file(*name, options).expect("a part begins");
        writer.write_all(bytes).expect("a part is written");
    }
    writer.finish().expect("the archive ends").into_inner()
}
