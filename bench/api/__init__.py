"""What `import bench` offers in Python: runs, tables and forecasts of DataFrames. Writes nothing unless asked to."""
