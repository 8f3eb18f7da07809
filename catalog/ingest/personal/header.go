package personal

import (
	"bytes"
	"strings"
	"unicode"
	"unicode/utf8"
)

// hints are what headers say. Chinese words may stand anywhere in a header,
// others must be a word of it.
var hints = [kinds][]string{
	IDNumber:  {"身份证", "身份号", "证件号", "idcard", "idno", "identity", "sfz", "sfzh", "zjhm"},
	Mobile:    {"手机", "移动电话", "联系电话", "联系方式", "电话", "phone", "mobile", "tel", "telephone"},
	BankCard:  {"银行卡", "卡号", "账号", "帐号", "账户", "帐户", "bankcard", "card", "account"},
	Plate:     {"车牌", "号牌", "plate"},
	Name:      {"姓名", "联系人", "经营者", "户主", "患者", "学生", "法定代表人", "负责人", "申请人", "当事人", "经办人"},
	Address:   {"住址", "家庭地址", "户籍地", "户籍所在", "居住地", "常住地"},
	BirthDate: {"出生", "生日", "birthday", "birthdate", "dob"},
	Passport:  {"护照", "passport"},
	Record:    {"社保号", "社保卡", "社会保障号", "医保号", "医保卡", "病历号", "病案号", "住院号", "门诊号"},
}

type words struct {
	text  string
	latin map[string]bool
}

func headerOf(header string) words {
	h := words{text: strings.ToLower(header), latin: map[string]bool{}}
	fields := strings.FieldsFunc(h.text, func(r rune) bool { return r < 0x80 && !unicode.IsLetter(r) || r >= 0x80 })
	for i, f := range fields {
		h.latin[f] = true
		if i > 0 {
			h.latin[fields[i-1]+f] = true // id_card, birth date
		}
	}
	return h
}

func (h words) says(k Kind) bool {
	for _, w := range hints[k] {
		if w[0] < 0x80 && h.latin[w] || w[0] >= 0x80 && strings.Contains(h.text, w) {
			return true
		}
	}
	return false
}

// saysCard reports whether the text before a number calls it a card or account.
func saysCard(before []byte) bool {
	for _, w := range []string{"卡号", "账号", "帐号", "银行卡", "账户"} {
		if i := bytes.LastIndex(before, []byte(w)); i >= 0 && len(before)-i-len(w) <= 6 {
			return true
		}
	}
	return false
}

// looksLike reports whether a cell fits the kind that its header names.
func looksLike(k Kind, b []byte) bool {
	switch k {
	case Name:
		return isName(b)
	case Address:
		return utf8.RuneCount(b) > addressKept && hasHan(b)
	case BirthDate:
		return digitsIn(b) >= 5 // more than a year
	case Passport, Record:
		return len(b) >= 6 && digitsIn(b) >= 5
	}
	return false
}

func hasHan(b []byte) bool { return bytes.ContainsFunc(b, isHan) }

func isHan(r rune) bool {
	return r >= 0x4e00 && r <= 0x9fff || r > 0x2e00 && unicode.Is(unicode.Han, r)
}

func digitsIn(b []byte) int {
	n := 0
	for _, c := range b {
		if c-'0' <= 9 {
			n++
		}
	}
	return n
}

// isName reports whether a text can be the name of a person: a surname and one
// or two, at most three, characters; or a longer one with a dot in it.
func isName(b []byte) bool {
	if len(b) > 60 {
		return false
	}
	n, dots, ends := 0, 0, false
	var first rune
	for i := 0; i < len(b); n++ {
		r, size := utf8.DecodeRune(b[i:])
		i += size
		switch {
		case r == '·' || r == '•' || r == '．':
			dots++
			ends = ends || n == 0 || i == len(b)
		case !isHan(r):
			return false
		case n == 0:
			first = r
		}
	}
	switch {
	case dots > 0:
		return n >= 4 && n <= 20 && !ends
	case n < 2 || n > 4:
		return false
	case n <= 3 && isSurname[first&0x7fff]:
		return true
	}
	return n >= 3 && compoundSurnames[string(b[:6])]
}

// isSurname has the surnames of one character by the low bits of their number,
// which are those of one character of the basic block each.
var isSurname = func() (is [0x8000]bool) {
	for _, r := range surnames {
		is[r&0x7fff] = true
	}
	return is
}()

// surnames are the common ones of one character.
const surnames = "王李张刘陈杨黄赵吴周徐孙马朱胡郭何林高罗郑梁谢宋唐许韩冯邓曹彭曾肖萧田董袁潘于蒋蔡余杜叶程苏魏吕丁任沈姚卢姜崔钟谭陆汪范金石廖贾夏韦付傅方白邹孟熊秦邱江尹薛闫阎段雷侯龙史陶黎贺顾毛郝龚邵万钱严覃武戴莫孔向汤温康施文牛樊葛邢安齐易乔伍庞颜倪庄聂章鲁岳翟殷詹申欧耿关兰焦俞左柳甘祝包宁尚符舒阮柯纪梅童凌毕单季裴霍涂成苗谷盛曲翁冉骆蓝路游辛靳管柴蒙鲍华喻祁蒲房滕屈饶解牟艾尤阳时穆农司卓古吉缪简车项连芦麦褚娄窦戚岑景党宫费卜冷晏席卫米柏宗瞿桂全佟应臧闵苟邬边卞姬师和仇栾隋商刁沙荣巫寇桑郎甄丛仲虞敖巩明佘池查麻苑迟邝官封谈匡鞠惠荆乐冀郁胥南班储原栗燕楚鄢劳谌奚皮粟冼蔺楼盘满闻位厉伊仝区郜海阚花权强帅屠豆朴盖练廉禹井祖漆巴丰支卿国狄平计索宣晋相初门云容敬来扈晁芮都普阙浦戈伏鹿薄邸雍辜羊阿乌母裘亓修邰赫杭况那宿鲜印逯隆茹诺战慕危玉银亢嵇公哈湛宾戎勾茅利於呼居揭干但尉冶斯元束檀衣信展阴昝智幸奉植衡富尧闭由"

// compoundSurnames are those of two characters.
var compoundSurnames = func() map[string]bool {
	is := map[string]bool{}
	for _, s := range strings.Fields("欧阳 上官 司马 诸葛 东方 皇甫 尉迟 公孙 慕容 令狐 司徒 夏侯 端木 百里 南宫 长孙 宇文 轩辕 独孤 闻人 钟离 申屠") {
		is[s] = true
	}
	return is
}()
