-- Figures that ministries and agencies supply, shown beside the survey's. A correction is a new row; the newest row of a
-- unit, indicator, year, source and part counts, and the earlier ones say what was corrected.
CREATE TABLE official_figure (
    figure_key INTEGER PRIMARY KEY,
    unit_code TEXT NOT NULL,
    indicator_code TEXT NOT NULL,
    year INTEGER NOT NULL,
    source TEXT NOT NULL,
    -- The sector that the figure is about, where an indicator has one value a sector; empty otherwise.
    part TEXT NOT NULL,
    percent REAL NOT NULL,
    note TEXT NOT NULL,
    -- Milliseconds since 1970.
    recorded_at INTEGER NOT NULL
);

CREATE INDEX official_figure_by_unit ON official_figure (unit_code, indicator_code, year);
