"""What can be found in a row of a file of members: what refuses it, what a person must settle, what was repaired.

A finding's code may carry the attribute it is about: `value_unknown:legacy_level`.
"""

from collections.abc import Iterable, Mapping

from apps.conditions.words import Words

REFUSING: Mapping[str, Words] = {
    "total_row": Words("This row adds up the others", "这是合计行"),
    "header_again": Words("The header stands here again", "表头重复出现"),
    "too_many_cells": Words("The row has more cells than the header", "单元格数多于表头"),
    "no_identifier": Words("Nothing names the member", "没有任何会员标识"),
    "phone_missing": Words("The phone number is missing", "缺少手机号"),
    "phone_scientific": Words("A spreadsheet cut the phone number to 1.38E+10: its last digits are lost", "表格软件把手机号变成了 1.38E+10，后几位已丢失"),
    "phone_short": Words("The phone number has too few digits", "手机号位数不足"),
    "phone_malformed": Words("This is no phone number", "不是有效的手机号"),
    "card_missing": Words("The card number is missing", "缺少卡号"),
    "email_missing": Words("The e-mail address is missing", "缺少邮箱"),
    "email_malformed": Words("This is no e-mail address", "不是有效的邮箱"),
    "identifier_missing": Words("A required identifier is missing", "缺少必填的会员标识"),
    "identifier_scientific": Words("A spreadsheet cut the number: its last digits are lost", "表格软件截断了号码，后几位已丢失"),
    "identifier_malformed": Words("This cannot be an identifier", "不是有效的会员标识"),
    "name_malformed": Words("The name is too long or holds signs that cannot be printed", "姓名过长或含有无法显示的字符"),
    "birthday_missing": Words("The birthday is missing", "缺少生日"),
    "birthday_impossible": Words("The birthday is a day that does not exist or lies outside 1900 to today", "生日不存在，或不在 1900 年至今之间"),
    "birthday_malformed": Words("The birthday is not a date that can be read without doubt", "生日无法确切识别为日期"),
    "joined_missing": Words("The joining date is missing", "缺少入会日期"),
    "joined_future": Words("The joining date lies in the future", "入会日期在未来"),
    "joined_impossible": Words("The joining date is a day that does not exist or lies before 1900", "入会日期不存在，或早于 1900 年"),
    "joined_malformed": Words("The joining date is not a date that can be read without doubt", "入会日期无法确切识别"),
    "store_missing": Words("The store is missing", "缺少门店"),
    "value_missing": Words("A required value is missing", "缺少必填值"),
    "too_long": Words("A text is longer than 500 characters", "文本超过 500 个字符"),
    "points_malformed": Words("The points are not a whole number", "积分不是整数"),
    "points_too_many": Words("More points than an account can hold", "积分超过账户上限"),
    "points_missing": Words("The points are missing", "缺少积分"),
    "points_date": Words("The day of the points is not a date that can be read without doubt", "积分日期无法确切识别"),
    "taken_meanwhile": Words("The member came into the studio by another way meanwhile: check the file again", "该会员已通过其他途径进入系统，请重新检查文件"),
    "erased": Words("It names somebody who was erased: they come back only when they come themselves", "所列之人已被删除：仅在其本人要求时才能恢复"),
    "decided": Words("Refused by decision", "已决定不导入"),
}  # fmt: skip
ASKING: Mapping[str, Words] = {
    "card_duplicate": Words("The card stands in an earlier row too", "卡号与前面的行重复"),
    "phone_duplicate": Words("The phone number stands in an earlier row too", "手机号与前面的行重复"),
    "email_duplicate": Words("The e-mail address stands in an earlier row too", "邮箱与前面的行重复"),
    "identifier_duplicate": Words("An identifier stands in an earlier row too", "会员标识与前面的行重复"),
    "identifier_of_other": Words("Its identifiers name two different members", "其标识分别属于两位不同的会员"),
    "member_again": Words("An earlier row is the same member, by another identifier", "前面的行以其他标识指向同一会员"),
    "store_unknown": Words("There is no such store", "没有这个门店"),
    "value_unknown": Words("The attribute does not know this value", "该属性没有这个值"),
    "points_negative": Words("The points are below zero", "积分为负数"),
}  # fmt: skip
NOTED: Mapping[str, Words] = {
    "phone_respelt": Words("phone number respelt", "手机号已规范"),
    "respelt": Words("identifier respelt", "标识已规范"),
    "date_respelt": Words("date respelt", "日期已规范"),
    "date_excel_serial": Words("date from Excel's day number", "日期由 Excel 序列值换算"),
    "number_respelt": Words("number respelt", "数字已规范"),
    "phone_dropped": Words("phone number left out: it cannot be read", "手机号无法识别，已略过"),
    "email_dropped": Words("e-mail address left out: it cannot be read", "邮箱无法识别，已略过"),
    "identifier_dropped": Words("identifier left out: it cannot be read", "标识无法识别，已略过"),
    "birthday_none": Words("no birthday", "无生日"),
    "joined_none": Words("no joining date: the day of the import", "无入会日期，按导入当日"),
    "store_none": Words("no store: the unit chosen for such rows", "无门店，归入指定单位"),
    "points_none": Words("no points: none", "无积分，按 0"),
    "formula": Words("text that a spreadsheet would run, kept as text", "公式文本按文字保存"),
    "known_elsewhere": Words("known elsewhere in the group: particulars stay", "集团内其他单位的会员，资料保持不变"),
}  # fmt: skip


def words_of(code: str) -> Words:
    """What a finding or a note says; its code where no room knows it."""
    head = code.partition(":")[0]
    return REFUSING.get(head) or ASKING.get(head) or NOTED.get(head) or Words(code, code)


def is_refusing(codes: Iterable[str]) -> bool:
    return any(code.partition(":")[0] in REFUSING for code in codes)
