//! Writes streams of records of `.xls` ([MS-XLS]) and compound files around them ([MS-CFB]), as far as tests need them.

/// A cell of a sheet.
pub(crate) enum Cell {
    /// A shared string.
    Text(&'static str),
    /// A number with the place of its cell format: 0 plain, 1 a day (number format 14), 2 a custom date.
    Number(f64, u16),
    Boolean(bool),
    /// The code of an error.
    Error(u8),
    /// A formula whose result is a text.
    Formula(&'static str),
}

fn record(stream: &mut Vec<u8>, kind: u16, data: &[u8]) {
    stream.extend(kind.to_le_bytes());
    stream.extend(u16::try_from(data.len()).unwrap().to_le_bytes());
    stream.extend(data);
}

/// A string with its length in characters, two bytes each.
fn wide(text: &str) -> Vec<u8> {
    let units: Vec<u16> = text.encode_utf16().collect();
    let mut bytes = u16::try_from(units.len()).unwrap().to_le_bytes().to_vec();
    bytes.push(1);
    bytes.extend(units.iter().flat_map(|unit| unit.to_le_bytes()));
    bytes
}

/// Cells by row and column.
type Cells<'a> = &'a [(u16, u16, Cell)];

/// The stream of a workbook of Excel 97: sheets by name, each with its cells.
pub(crate) fn stream(sheets: &[(&str, Cells<'_>)]) -> Vec<u8> {
    let beginning = |kind: u8| [0, 6, kind, 0, 0, 0, 0xcc, 0x07, 0, 0, 0, 0, 0, 0, 0, 0];
    let mut globals = Vec::new();
    record(&mut globals, 0x0809, &beginning(5));
    record(&mut globals, 0x0042, &1200_u16.to_le_bytes());
    record(
        &mut globals,
        0x041e,
        &[&164_u16.to_le_bytes()[..], &wide("yyyy\\-mm\\-dd hh:mm")].concat(),
    );
    for format in [0_u16, 14, 164] {
        let mut data = [0; 20];
        data[2..4].copy_from_slice(&format.to_le_bytes());
        record(&mut globals, 0x00e0, &data);
    }
    let cells = sheets.iter().flat_map(|(_, cells)| cells.iter());
    let strings: Vec<&str> = cells
        .filter_map(|(_, _, cell)| match cell {
            Cell::Text(text) => Some(*text),
            _ => None,
        })
        .collect();
    let mut table = [u32::try_from(strings.len()).unwrap().to_le_bytes(); 2].concat();
    table.extend(strings.iter().flat_map(|text| wide(text)));
    let bound_sheets: usize = sheets.iter().map(|(name, _)| 4 + 8 + name.len()).sum();
    let mut at = globals.len() + bound_sheets + 4 + table.len() + 4;
    let mut string = 0_u32;
    let mut bodies = Vec::new();
    for (name, cells) in sheets {
        let mut data = u32::try_from(at).unwrap().to_le_bytes().to_vec();
        data.extend([0, 0, u8::try_from(name.len()).unwrap(), 0]);
        data.extend(name.as_bytes());
        record(&mut globals, 0x0085, &data);
        let body = sheet(cells, &mut string, &beginning(0x10));
        at += body.len();
        bodies.extend(body);
    }
    record(&mut globals, 0x00fc, &table);
    record(&mut globals, 0x000a, &[]);
    globals.extend(bodies);
    globals
}

fn sheet(cells: Cells<'_>, string: &mut u32, beginning: &[u8]) -> Vec<u8> {
    let mut body = Vec::new();
    record(&mut body, 0x0809, beginning);
    for (row, column, cell) in cells {
        let place = |format: u16| [row.to_le_bytes(), column.to_le_bytes(), format.to_le_bytes()].concat();
        match cell {
            Cell::Text(_) => {
                record(&mut body, 0x00fd, &[place(0), string.to_le_bytes().to_vec()].concat());
                *string += 1;
            }
            Cell::Number(number, format) => {
                record(
                    &mut body,
                    0x0203,
                    &[place(*format), number.to_le_bytes().to_vec()].concat(),
                );
            }
            Cell::Boolean(value) => record(&mut body, 0x0205, &[place(0), vec![u8::from(*value), 0]].concat()),
            Cell::Error(code) => record(&mut body, 0x0205, &[place(0), vec![*code, 1]].concat()),
            Cell::Formula(text) => {
                let result = [0, 0, 0, 0, 0, 0, 0xff, 0xff, 0, 0, 0, 0, 0, 0, 0, 0];
                record(&mut body, 0x0006, &[place(0), result.to_vec()].concat());
                record(&mut body, 0x0207, &wide(text));
            }
        }
    }
    record(&mut body, 0x000a, &[]);
    body
}

/// A compound file with one stream, in sectors of 512 bytes: the header, one table of sectors, the directory, the stream.
pub(crate) fn compound(name: &str, stream: &[u8]) -> Vec<u8> {
    const END: u32 = 0xffff_fffe;
    const FREE: u32 = 0xffff_ffff;
    // Streams shorter than 4096 bytes would belong into the mini stream.
    let mut stream = stream.to_vec();
    stream.resize(stream.len().max(4096).next_multiple_of(512), 0);
    let sectors = u32::try_from(stream.len() / 512).unwrap();
    let mut header = vec![0_u8; 512];
    header[..8].copy_from_slice(&[0xd0, 0xcf, 0x11, 0xe0, 0xa1, 0xb1, 0x1a, 0xe1]);
    header[24..34].copy_from_slice(&[0x3e, 0, 3, 0, 0xfe, 0xff, 9, 0, 6, 0]);
    let mut put = |at: usize, word: u32| header[at..at + 4].copy_from_slice(&word.to_le_bytes());
    put(44, 1);
    put(48, 1);
    put(56, 4096);
    put(60, END);
    put(68, END);
    put(76, 0);
    for table in 1..109 {
        put(76 + 4 * table, FREE);
    }
    let mut table = vec![0xffff_fffd, END];
    table.extend((2..sectors + 1).map(|sector| sector + 1));
    table.push(END);
    table.resize(128, FREE);
    let mut directory = Vec::new();
    for (name, kind, first, size) in [
        ("Root Entry", 5, END, 0),
        (name, 2, 2, u32::try_from(stream.len()).unwrap()),
    ] {
        let mut entry = vec![0_u8; 128];
        for (place, unit) in name.encode_utf16().enumerate() {
            entry[2 * place..2 * place + 2].copy_from_slice(&unit.to_le_bytes());
        }
        entry[64] = u8::try_from(2 * name.len() + 2).unwrap();
        entry[66] = kind;
        entry[68..80].fill(0xff);
        if kind == 5 {
            entry[76..80].copy_from_slice(&1_u32.to_le_bytes());
        }
        entry[116..120].copy_from_slice(&u32::to_le_bytes(first));
        entry[120..124].copy_from_slice(&size.to_le_bytes());
        directory.extend(entry);
    }
    directory.resize(512, 0);
    let table: Vec<u8> = table.iter().flat_map(|word| word.to_le_bytes()).collect();
    assert_eq!(table.len(), 512, "the stream needs one table of sectors only");
    [header, table, directory, stream].concat()
}
