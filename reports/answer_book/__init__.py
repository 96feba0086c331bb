"""The answer book: open questions as a workbook that an office fills in and sends back."""

from inventory.workbooks import MOST_ROWS, CellError
from reports.answer_book.layout import Row
from reports.answer_book.read import Attach, Book, BookError, Defaults, Returned, open_book, read_book
from reports.answer_book.write import write_book

__all__ = [
    "MOST_ROWS",
    "Attach",
    "Book",
    "BookError",
    "CellError",
    "Defaults",
    "Returned",
    "Row",
    "open_book",
    "read_book",
    "write_book",
]
