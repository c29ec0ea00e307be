//! `module-size FILE`: weighs a WebAssembly module; ends with code 1 where it is over its budget.

use std::process::ExitCode;

use survey_forms_module::size::Size;

fn main() -> ExitCode {
    let Some(path) = std::env::args_os().nth(1) else {
        eprintln!("cách dùng: module-size TỆP (usage: module-size FILE)");
        return ExitCode::from(2);
    };
    let size = match std::fs::read(&path).and_then(|module| Size::of(&module)) {
        Ok(size) => size,
        Err(error) => {
            eprintln!("{}: {error}", path.display());
            return ExitCode::from(2);
        }
    };
    println!("{size}");
    if size.is_within_budget() {
        ExitCode::SUCCESS
    } else {
        eprintln!("mô-đun vượt quá giới hạn (the module is over its budget)");
        ExitCode::FAILURE
    }
}
