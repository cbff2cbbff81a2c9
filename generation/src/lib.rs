//! From passages to a cited answer: admission, prompt, engine, streaming, citation binding; and the model catalogue.
