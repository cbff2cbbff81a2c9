//! What the real model must do. Needs `LECTERN_TEST_MODELS`.
