-- What the schedule of a source counts from: when it last asked for a sync, or was set. Nothing where it has none.
ALTER TABLE sources ADD COLUMN scheduled_from BIGINT;
