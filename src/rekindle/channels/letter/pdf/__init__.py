"""Letters as PDF: one file each, tagged for screen readers (PDF/UA-1), its fonts inside."""
