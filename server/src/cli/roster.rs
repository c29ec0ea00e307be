//! `khaosat device export` and `khaosat device import`.

use std::path::PathBuf;

use clap::Args;
use sync_core::device::DevicePublicKey;

use super::Failure;
use super::bundle::{read_limited, write_new};
use crate::config::Config;
use crate::devices::{InstallationKeys, ROSTER_BYTES, export_roster, import_roster, read_roster};
use crate::hex;
use crate::store::{DataFolder, Store};

/// Where to write the roster.
#[derive(Debug, Args)]
pub(super) struct ExportArguments {
    /// The file to write
    #[arg(long, value_name = "FILE")]
    output: PathBuf,
}

/// Which roster to believe.
#[derive(Debug, Args)]
pub(super) struct ImportArguments {
    /// The roster, which `khaosat device export` of another installation wrote
    #[arg(value_name = "FILE")]
    file: PathBuf,
    /// The other installation's signing key, line 2 of its `khaosat bundle key`; ask for it by another way than the file
    /// came, since whoever has this key can say who may write here
    #[arg(long, value_name = "KEY")]
    from: String,
}

pub(super) async fn export(arguments: &ExportArguments, config: &Config) -> Result<(), Failure> {
    let folder = DataFolder::open(&config.data)?;
    let keys = InstallationKeys::of(&folder)?;
    let store = Store::open(&folder.database()).await?;
    let roster = export_roster(&store, &keys.signing).await?;
    store.close().await;
    write_new(&arguments.output, roster.as_bytes())?;
    eprintln!(
        "Đã ký bằng khóa (signed by key) {}; báo khóa này cho nơi nhận bằng đường khác. (Tell it by another way.)",
        keys.signing.public()
    );
    Ok(())
}

pub(super) async fn import(arguments: &ImportArguments, config: &Config) -> Result<(), Failure> {
    let from = hex::decode(&arguments.from).map(DevicePublicKey).ok_or_else(|| {
        Failure::new(
            "--from: cần 64 chữ số thập lục phân",
            "--from: 64 hexadecimal digits are needed",
        )
    })?;
    let file = read_limited(&arguments.file, ROSTER_BYTES)?;
    let roster = read_roster(&file, &from).map_err(|error| Failure::from(error).of_file(&arguments.file))?;
    let folder = DataFolder::open(&config.data)?;
    let store = Store::open(&folder.database()).await?;
    let imported = import_roster(&store, roster.devices, None).await?;
    store.close().await;
    println!(
        "{} thiết bị, {} mới; {} ấp, khu phố được thêm quyền; {} không có ở đây. \
         ({} devices, {} new; {} hamlets granted; {} unknown here)",
        imported.devices,
        imported.new_devices,
        imported.new_hamlets,
        imported.unknown_hamlets,
        imported.devices,
        imported.new_devices,
        imported.new_hamlets,
        imported.unknown_hamlets,
    );
    Ok(())
}
