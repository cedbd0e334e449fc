//! Fine-tuning any two-tower model with hard negatives.
