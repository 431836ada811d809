"""A study run into a folder of results, chunk by chunk, and what is done with the folder afterwards."""
