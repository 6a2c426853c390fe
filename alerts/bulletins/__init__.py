"""Reports by day and by month: figures out of the desk's tables, kept as rows, shown as a page or a workbook."""
