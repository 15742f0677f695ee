"""What the singer gets to see of an assessment: the JSON document, the HTML page and the PDF."""
