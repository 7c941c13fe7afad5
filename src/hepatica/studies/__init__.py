"""Studies: all analyses of a paper, from cohorts to one report; one folder a paper, named as its system."""

from hepatica.studies.study import Study, Work, find_study, run_study, study_names, write_study_report

__all__ = ["Study", "Work", "find_study", "run_study", "study_names", "write_study_report"]
