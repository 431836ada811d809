"""From a study as a person wrote it to the numbers that the kernels take."""
