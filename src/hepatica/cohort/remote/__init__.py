"""Remote: files of a cohort in a store, such as s3://bucket/key, brought to this machine when they are read."""

from hepatica.cohort.remote.cache import bring_all, bring_beside, place_of, version_of
from hepatica.cohort.remote.transfer import bring, is_offline, is_url, refused

__all__ = ["bring", "bring_all", "bring_beside", "is_offline", "is_url", "place_of", "refused", "version_of"]
