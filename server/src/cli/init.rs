//! `khaosat init`.

use crate::cli::Failure;
use crate::config::Config;
use crate::registry;
use crate::store::{DataFolder, Store};
use crate::units;

/// The plan's indicators.
const INDICATORS: &[u8] = include_bytes!("../../reference/indicators.csv");
/// The administrative units of Tiền Giang before and after the reform of 2025.
const ADMIN_UNITS: &[u8] = include_bytes!("../../reference/admin_units.csv");
/// Which unit took over which.
const SUCCESSIONS: &[u8] = include_bytes!("../../reference/admin_unit_successions.csv");

pub(super) async fn run(config: &Config) -> Result<(), Failure> {
    let folder = DataFolder::create(&config.data)?.lock()?;
    let store = initialise(&folder).await?;
    store.close().await;
    println!("Đã tạo dữ liệu mới trong {} (new installation).", config.data.display());
    println!("Tiếp theo (next): khaosat round create --help");
    Ok(())
}

/// Makes the database of a new installation and loads the reference data.
pub(crate) async fn initialise(folder: &DataFolder) -> Result<Store, Failure> {
    let damaged = |error: crate::table::TableError| Failure::new(error.vietnamese(), error.to_string());
    let registry = registry::read(INDICATORS).map_err(damaged)?;
    let admin_units = units::read_units(ADMIN_UNITS).map_err(damaged)?;
    let codes = admin_units.iter().map(|unit| unit.code.clone()).collect();
    let successions = units::read_successions(SUCCESSIONS, &codes).map_err(damaged)?;
    let store = Store::open(&folder.database()).await?;
    store
        .writer
        .write(move |connection| {
            Box::pin(async move {
                registry::import(connection, &registry).await?;
                units::import_units(connection, &admin_units).await?;
                units::import_successions(connection, &successions).await
            })
        })
        .await?;
    Ok(store)
}
