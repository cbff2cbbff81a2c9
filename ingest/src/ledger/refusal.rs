//! Jobs that wait and can't be begun.

use lectern_domain::{JobId, JobState};

use super::{Ledger, commit, now};
use crate::error::{Error, Result};

impl Ledger {
    /// Ends a job that waits as failed, with the reason why it can't be begun: nothing waits for ever without
    /// saying why. One that runs or has ended stays as it is.
    pub async fn refuse_job(&self, job: JobId, reason: &str) -> Result<()> {
        const ACTION: &str = "refuse a job";
        let mut transaction = self.begin().await?;
        sqlx::query(
            "UPDATE jobs SET state = $2, reason = $3, ended_at = $4 WHERE id = $1 AND state = 'queued'",
        )
        .bind(job.0)
        .bind(JobState::Failed.as_str())
        .bind(reason)
        .bind(now().timestamp_millis())
        .execute(&mut *transaction)
        .await
        .map_err(Error::ledger(ACTION))?;
        commit(transaction, ACTION).await
    }
}
